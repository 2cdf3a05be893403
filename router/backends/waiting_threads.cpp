#include "router/backends/waiting_threads.hpp"

#include <algorithm>

namespace gray::proxy {
namespace {

constexpr std::uint64_t kFair = (std::uint64_t{1} << segment::kThreads) - 1;

constexpr std::int64_t kNobody = INT64_MAX;

std::int64_t micros_of(TimePoint time) { return std::chrono::duration_cast<Micros>(time.time_since_epoch()).count(); }

Waiting kind_of(std::uint64_t bits) {
  if ((bits & kFair) != 0) return Waiting::fair;
  return bits != 0 ? Waiting::slow : Waiting::none;
}

}  // namespace

Waiting WaitingThreads::others(std::uint32_t row) const {
  std::uint64_t bits = 0;
  for (std::uint32_t router_slot = 0; router_slot < segment::kRouterSlots; ++router_slot) {
    std::uint64_t theirs = layout_.versions[row].waiters[router_slot].load();
    if (router_slot == shard_id_.router_slot)
      theirs &= ~(bit(shard_id_.thread, Waiting::fair) | bit(shard_id_.thread, Waiting::slow));
    bits |= theirs;
  }
  return kind_of(bits);
}

Waiting WaitingThreads::of(std::uint32_t row, std::uint32_t thread) const {
  const std::uint64_t its = bit(thread, Waiting::fair) | bit(thread, Waiting::slow);
  return kind_of(ours(row).load(std::memory_order_relaxed) & its);
}

bool WaitingThreads::others(const segment::WorkerCell& cell) const {
  for (std::uint32_t router_slot = 0; router_slot < segment::kRouterSlots; ++router_slot) {
    std::uint64_t theirs = cell.awaited[router_slot].load();
    if (router_slot == shard_id_.router_slot) theirs &= ~bit(shard_id_.thread);
    if (theirs != 0) return true;
  }
  return false;
}

int WaitingThreads::next(std::uint32_t row, Waiting kind) const {
  const std::uint64_t bits = ours(row).load(std::memory_order_relaxed);
  int oldest = -1;
  std::int64_t least = 0;
  for (std::uint32_t thread = 0; thread < segment::kThreads; ++thread) {
    if (thread == shard_id_.thread || (bits & bit(thread, kind)) == 0) continue;
    const std::int64_t since = oldest_of(shard_id_.router_slot, thread, row);
    if (oldest >= 0 && since >= least) continue;
    oldest = static_cast<int>(thread);
    least = since;
  }
  return oldest;
}

void WaitingThreads::publish_oldest(std::uint32_t row, std::optional<TimePoint> since) {
  auto& cell = layout_.rows[shard_id_.router_slot][shard_id_.thread][row].oldest_since;
  cell.store(since ? micros_of(*since) : 0, std::memory_order_relaxed);
}

// Only rows of threads that have announced one are read: to read a row that was never written would cost memory.
std::optional<TimePoint> WaitingThreads::oldest_elsewhere(std::uint32_t row) const {
  std::int64_t least = kNobody;
  for (std::uint32_t router_slot = 0; router_slot < segment::kRouterSlots; ++router_slot) {
    const std::uint64_t bits = layout_.versions[row].waiters[router_slot].load(std::memory_order_relaxed);
    for (std::uint32_t thread = 0; bits != 0 && thread < segment::kThreads; ++thread) {
      const bool waits = (bits & bit(thread, Waiting::fair)) != 0;
      const bool this_one = router_slot == shard_id_.router_slot && thread == shard_id_.thread;
      if (waits && !this_one) least = std::min(least, oldest_of(router_slot, thread, row));
    }
  }
  if (least == kNobody) return std::nullopt;
  return TimePoint{} + Micros{least};
}

// Not yet, or no longer: nobody waits there.
std::int64_t WaitingThreads::oldest_of(std::uint32_t router_slot, std::uint32_t thread, std::uint32_t row) const {
  const std::int64_t since = layout_.rows[router_slot][thread][row].oldest_since.load(std::memory_order_relaxed);
  return since == 0 ? kNobody : since;
}

void WaitingThreads::announce_shedding(std::uint32_t row, TimePoint until) {
  layout_.versions[row].shed_until.store(micros_of(until), std::memory_order_relaxed);
}

bool WaitingThreads::shedding(std::uint32_t row, TimePoint now) const {
  return micros_of(now) < layout_.versions[row].shed_until.load(std::memory_order_relaxed);
}

int WaitingThreads::next(const segment::WorkerCell& cell) const {
  return next_in(cell.awaited[shard_id_.router_slot].load(std::memory_order_relaxed), Waiting::fair);
}

int WaitingThreads::next_in(std::uint64_t bits, Waiting kind) const {
  for (std::uint32_t step = 1; step < segment::kThreads; ++step) {
    const std::uint32_t thread = (shard_id_.thread + step) % segment::kThreads;
    if ((bits & bit(thread, kind)) != 0) return static_cast<int>(thread);
  }
  return -1;
}

}  // namespace gray::proxy
