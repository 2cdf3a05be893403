#pragma once
// Recording into the rows of the shared segment; config/shared/totals.hpp reads them. Writers are single-threaded per
// row, so a count is a relaxed load and store, never a locked instruction.
#include <atomic>
#include <cstdint>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"
#include "config/shared/totals.hpp"

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

/// A failed request of a user counts once in RecentUsers::kWindow. `user`: a hash of who it is.
void record_failing_user(segment::Layout& layout, segment::Row& row, std::uint32_t version_row, std::uint64_t user,
                         segment::Reason reason, TimePoint now);

/// The first answer of a worker in each segment::kSampleTime is a sample of its latency.
inline void record_sample(segment::WorkerCell& worker, segment::Row& row, Micros latency, TimePoint now) {
  const auto slot = static_cast<std::uint32_t>(now.time_since_epoch() / Duration{segment::kSampleTime});
  if (worker.sampled.load(std::memory_order_relaxed) == slot) return;
  if (worker.sampled.exchange(slot, std::memory_order_relaxed) == slot) return;
  auto& bucket = row.samples[segment::bucket_of(latency)];
  bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// Marks a user of the version, see segment::distinct_users().
inline void mark_user(segment::VersionCell& cell, std::uint64_t user) {
  auto& word = cell.users[(user >> 6) % segment::kUserWords];
  const std::uint64_t bit = std::uint64_t{1} << (user % 64);
  if ((word.load(std::memory_order_relaxed) & bit) == 0) word.fetch_or(bit, std::memory_order_relaxed);
}

}  // namespace gray::stats
