#pragma once
// Recording into the rows of the shared segment; config/shared/totals.hpp reads them. Writers are single-threaded per
// row, so a count is a relaxed load and store, never a locked instruction.
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

/// The result of a request that has ended; counted once, here.
struct Outcome {
  int status = 0;  // as sent to the client; 0: none could be sent
  segment::Reason reason = segment::Reason::none;
  segment::Decision decision = segment::Decision::none;
  std::uint32_t retries = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  Micros duration{0};
};
void record(segment::Row& row, const Outcome& outcome);
/// Contract: 5xx answers of the version, and 502 and 504 answers of the router because of it.
bool is_error(int status, segment::Reason reason);
/// An attempt failed and was repeated elsewhere: an error of the version that failed, but not a request of it. The
/// request is counted once, with the version that answered, so errors may exceed requests.
void record_failed_attempt(segment::Row& row);

void record(segment::Histogram& histogram, Micros value);

}  // namespace gray::stats
