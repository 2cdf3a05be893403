#pragma once
// Log-linear histogram of microseconds: 64 steps for each power of two, so a quantile is exact to 1/64. It is its own
// and not the router's, because a tool that measures the router must not share the router's mistakes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/time.hpp"

namespace gray::bench {

class Histogram {
 public:
  void record(Micros value) {
    const auto micros = static_cast<std::uint64_t>(std::max<Micros::rep>(value.count(), 0));
    const std::size_t bucket = bucket_of(micros);
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    ++buckets_[bucket];
    ++count_;
    max_ = std::max(max_, micros);
  }

  std::uint64_t count() const { return count_; }
  Micros max() const { return Micros{max_}; }

  /// The smallest recorded bucket that holds at least `share` (0..1) of all values; 0 when nothing was recorded.
  Micros quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      seen += buckets_[bucket];
      if (seen >= wanted && seen > 0) return Micros{std::min(upper_bound(bucket), max_)};
    }
    return Micros{0};
  }

 private:
  static constexpr unsigned kStepBits = 6;
  static constexpr std::uint64_t kSteps = 1u << kStepBits;

  // Below kSteps a bucket is one microsecond wide; from there on each power of two has kSteps buckets.
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < kSteps) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kStepBits - 1;
    return (shift + 1) * kSteps + ((value >> shift) - kSteps);
  }
  static std::uint64_t upper_bound(std::size_t bucket) {
    if (bucket < kSteps) return bucket;
    const std::size_t shift = bucket / kSteps - 1;
    return ((kSteps + bucket % kSteps + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace gray::bench
