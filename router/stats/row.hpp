#pragma once
// Recording into, and reading from, the rows of the shared segment. Writers are single-threaded per row, so a count is
// a relaxed load and store, never a locked instruction.
#include <atomic>
#include <cstdint>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"

namespace gray::stats {

inline void add(std::atomic<std::uint64_t>& cell, std::uint64_t by = 1) {
  cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}
inline void add(std::atomic<std::uint32_t>& gauge, std::int32_t by) {
  gauge.store(gauge.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(by), std::memory_order_relaxed);
}

/// What is known of a request when it has ended; counted once, here.
struct Outcome {
  int status = 0;  // as sent to the client; 0: none could be sent
  segment::Reason reason = segment::Reason::none;
  segment::Decision decision = segment::Decision::none;
  std::uint32_t retries = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  Micros duration{0};
};
void record(segment::Row& row, const Outcome& outcome);
/// Contract: answers 5xx from the version, and 502 and 504 made because of it.
bool is_error(int status, segment::Reason reason);
/// An attempt failed and was repeated elsewhere: an error of the version that failed. It is no request of that version:
/// the request is counted once, where it was answered, so errors may exceed requests.
void record_failed_attempt(segment::Row& row);

void record(segment::Histogram& histogram, Micros value);
/// The bucket of a value; below 0 is 0, 2^32 us (71 minutes) and above are the last one.
std::uint32_t bucket_of(Micros value);
/// The largest value that falls into the bucket.
Micros upper_bound(std::uint32_t bucket);
/// The upper bound of the bucket that holds the value of rank `q` (0..1); 0 for an empty histogram.
Micros quantile(const std::uint64_t (&buckets)[segment::kHistogramBuckets], double q);

/// Sums of a version over all slots, threads and the base. Any thread; the counters go on while they are read, so sums
/// of different counters may be a few requests apart.
struct Totals {
  std::uint64_t requests = 0, errors = 0, retries = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t status_class[6] = {};
  std::uint64_t reasons[static_cast<std::size_t>(segment::Reason::count)] = {};
  std::uint64_t decisions[static_cast<std::size_t>(segment::Decision::count)] = {};
  std::uint64_t connects = 0, connect_errors = 0;
  std::uint64_t in_flight = 0, waiting = 0;
};
Totals sum(const segment::Layout& layout, std::uint32_t version_row);

struct HistogramTotals {
  std::uint64_t buckets[segment::kHistogramBuckets] = {};
  std::uint64_t sum = 0;  // microseconds
};
/// `which` is &Row::duration or &Row::waited.
HistogramTotals sum(const segment::Layout& layout, std::uint32_t version_row, segment::Histogram segment::Row::* which);

}  // namespace gray::stats
