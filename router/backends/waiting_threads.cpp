#include "router/backends/waiting_threads.hpp"

namespace gray::proxy {
namespace {

constexpr std::uint64_t kFair = (std::uint64_t{1} << segment::kThreads) - 1;

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
  return next_in(ours(row).load(std::memory_order_relaxed), kind);
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
