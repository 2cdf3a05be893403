#pragma once
// The last 60 s of one version in buckets of one second, from counters that are read at any moments. Pure.
//
// Invariants
//  - A bucket knows for how much of its second the counters were watched, so a second that was watched only in part
//    has the right rate, and one that was not watched is unknown, not zero.
//  - What happened between two readings is spread evenly over the time between them.
//  - A counter that is smaller than before was reset: all that it counts is new.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/time.hpp"

namespace gray::control {

class RateHistory {
 public:
  static constexpr std::size_t kSeconds = 60;
  static constexpr std::int64_t kRecent = 10;  // seconds of the recent figures

  /// The counters as they are at `now`. The first call only begins.
  void read(TimePoint now, std::uint64_t requests, std::uint64_t errors);

  struct Recent {
    double requests_per_second = 0;
    double error_ratio = 0;  // 0..1
    double errors = 0;
  };
  /// Of the last 10 s, or what of them was watched; nothing before the second reading.
  std::optional<Recent> recent(TimePoint now) const;

  /// Requests per second of the last 60 whole seconds, oldest first; negative: not watched.
  std::vector<double> seconds(TimePoint now) const;

 private:
  struct Bucket {
    std::int64_t second = -1;  // of the clock; a different one: the bucket is old
    double watched = 0;        // seconds, at most 1
    double requests = 0, errors = 0;
  };
  void spread(TimePoint from, TimePoint to, double requests, double errors);
  const Bucket* bucket(std::int64_t second) const;

  std::array<Bucket, kSeconds + 2> buckets_;
  std::optional<TimePoint> last_;
  std::uint64_t requests_ = 0, errors_ = 0;  // at that moment
};

}  // namespace gray::control
