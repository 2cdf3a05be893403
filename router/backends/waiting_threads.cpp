#include "router/backends/waiting_threads.hpp"

namespace gray::proxy {

bool WaitingThreads::others(std::uint32_t row) const {
  for (std::uint32_t router_slot = 0; router_slot < segment::kRouterSlots; ++router_slot) {
    std::uint32_t mask = layout_.versions[row].waiters[router_slot].load();
    if (router_slot == shard_id_.router_slot) mask &= ~(1u << shard_id_.thread);
    if (mask != 0) return true;
  }
  return false;
}

bool WaitingThreads::waits(std::uint32_t row, std::uint32_t thread) const {
  return (ours(row).load(std::memory_order_relaxed) >> thread & 1) != 0;
}

int WaitingThreads::next(std::uint32_t row) const {
  const std::uint32_t mask = ours(row).load(std::memory_order_relaxed);
  for (std::uint32_t step = 1; step < segment::kThreads; ++step) {
    const std::uint32_t thread = (shard_id_.thread + step) % segment::kThreads;
    if ((mask >> thread & 1) != 0) return static_cast<int>(thread);
  }
  return -1;
}

}  // namespace gray::proxy
