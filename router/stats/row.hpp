#pragma once
// Recording into, and reading from, the rows of the shared segment. Writers are single-threaded per row, so a count is a
// relaxed load and store, never a locked instruction.
#include <cstdint>

#include "config/segment.hpp"
#include "config/time.hpp"

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
/// An attempt failed and was repeated elsewhere: charged to the version that failed.
void record_failed_attempt(segment::Row& row);

void record(segment::Histogram& histogram, Micros value);
std::uint32_t bucket_of(Micros value);
Micros upper_bound(std::uint32_t bucket);

/// Sums of a version over all slots, threads and the base.
struct Totals {
  std::uint64_t requests = 0, errors = 0, retries = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t status_class[6] = {};
  std::uint64_t reasons[static_cast<std::size_t>(segment::Reason::count)] = {};
  std::uint64_t decisions[static_cast<std::size_t>(segment::Decision::count)] = {};
  std::uint64_t in_flight = 0, waiting = 0;
};
Totals sum(const segment::Layout& layout, std::uint32_t version_row);

}  // namespace gray::stats
