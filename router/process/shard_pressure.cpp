// What a router thread does when the router is short of memory (policy/memory_ladder.hpp): once at each change of the
// level, and again each kMemoryInterval until it is ample.
#include <algorithm>
#include <string>

#include "config/base/log.hpp"
#include "router/process/shard.hpp"

namespace gray::proxy {

using policy::MemoryLevel;

void Shard::relieve() {
  const engine::MemoryBudget& memory = options_.memory;
  const MemoryLevel level = memory.level();
  engine_->accept_more(level < MemoryLevel::shed);
  if (level == MemoryLevel::ample) return;
  give_back_spare();
  if (level >= MemoryLevel::hurry) {
    const Duration timeout = policy::hurried(tables_.current().idle_timeout, memory.used(), memory.limit());
    downstreams_.for_each([timeout](Downstream& downstream) { downstream.hurry(timeout); });
  }
  if (level >= MemoryLevel::shed) shed();
  engine_->timers().arm(relieve_again_, engine_->now() + policy::kMemoryInterval);
}

std::size_t Shard::held_bytes() const {
  std::size_t bytes = 0;
  downstreams_.for_each([&bytes](const Downstream& downstream) { bytes += downstream.held_bytes(); });
  return bytes;
}

// The largest first, until new requests are served again.
void Shard::shed() {
  std::vector<std::pair<std::size_t, Downstream*>> holders;
  downstreams_.for_each([&holders](Downstream& downstream) {
    const std::size_t bytes = downstream.is_open() ? downstream.held_bytes() : 0;
    if (bytes >= policy::kLeastShed) holders.emplace_back(bytes, &downstream);
  });
  const std::size_t count = std::min(holders.size(), policy::kShedAtOnce);
  std::ranges::partial_sort(holders, holders.begin() + static_cast<std::ptrdiff_t>(count), std::greater{});
  std::size_t shed = 0, bytes = 0;
  for (; shed < count && options_.memory.at_least(MemoryLevel::refuse); ++shed) {
    bytes += holders[shed].first;
    holders[shed].second->shed();
  }
  if (shed == 0) return;
  log(LogLevel::warn, "memory.budget is nearly used up: " + std::to_string(shed) + " connections that held " +
                          std::to_string(bytes) + " bytes were broken off");
}

}  // namespace gray::proxy
