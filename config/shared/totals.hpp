#pragma once
// The sums of a version's rows in the shared segment. The routers write the rows (router/stats/row.hpp); reports and
// decisions read the sums here. Any thread. The counters change while they are read, so sums of different counters may
// be a few requests apart.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"

namespace gray::segment {

/// Sums of a version over all router slots, threads and the base.
struct Totals {
  std::uint64_t requests = 0, errors = 0, retries = 0, asset_retries = 0, affinity_spills = 0, bytes_in = 0,
                bytes_out = 0;
  std::uint64_t status_class[6] = {};
  std::uint64_t reasons[static_cast<std::size_t>(Reason::count)] = {};
  std::uint64_t retries_refused[static_cast<std::size_t>(Reason::count)] = {};
  std::uint64_t decisions[static_cast<std::size_t>(Decision::count)] = {};
  std::uint64_t connects = 0, connect_errors = 0;
  std::uint64_t failing_users = 0, reset_users = 0, timed_out_users = 0, users_uncounted = 0;
  std::uint64_t in_flight = 0, waiting = 0;
};
Totals sum(const Layout& layout, std::uint32_t version_row);

struct HistogramTotals {
  std::uint64_t buckets[kHistogramBuckets] = {};
  std::uint64_t sum = 0;  // microseconds
};
/// `which` is &Row::duration or &Row::waited.
HistogramTotals sum(const Layout& layout, std::uint32_t version_row, Histogram Row::* which);

/// Sum of Row::samples; the counts wrap around at 2^32.
using Samples = std::array<std::uint32_t, kHistogramBuckets>;
Samples sum_samples(const Layout& layout, std::uint32_t version_row);

/// An estimate of the distinct users in VersionCell::users: exact to about 3 % up to 10,000, at most kMostUsers (Whang
/// et al., "A linear-time probabilistic counting algorithm", 1990).
std::uint64_t distinct_users(const VersionCell& cell);
inline constexpr std::uint64_t kMostUsers = 34'000;

inline constexpr std::uint32_t kHistogramStepBits = 4;  // 16 steps for each power of two
inline constexpr std::uint32_t kHistogramSteps = 1u << kHistogramStepBits;

/// The bucket of a value; below 0 is bucket 0, 2^32 us (71 minutes) and above is the last one. Inline: called once per
/// request.
inline std::uint32_t bucket_of(Micros value) {
  constexpr std::uint64_t kLargest = (1ull << 32) - 1;
  const auto wide = static_cast<std::uint64_t>(std::max(value, Micros{0}).count());
  const auto micros = static_cast<std::uint32_t>(std::min(wide, kLargest));
  if (micros < kHistogramSteps) return micros;
  const auto shift = static_cast<std::uint32_t>(std::bit_width(micros)) - 1 - kHistogramStepBits;
  return shift * kHistogramSteps + (micros >> shift);
}
/// The largest value that falls into the bucket.
Micros upper_bound(std::uint32_t bucket);
/// The upper bound of the bucket that holds the value of rank `q` (0..1); 0 for an empty histogram.
Micros quantile(const std::uint64_t (&buckets)[kHistogramBuckets], double q);

}  // namespace gray::segment
