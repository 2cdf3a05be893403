#include "router/engine/memory_budget.hpp"

namespace gray::engine {

using policy::MemoryLevel;

bool MemoryBudget::take(std::size_t bytes) {
  const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (before > limit_ || bytes > limit_ - before) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  moved(before + bytes);
  return true;
}

void MemoryBudget::add(std::size_t bytes) { moved(used_.fetch_add(bytes, std::memory_order_relaxed) + bytes); }

void MemoryBudget::give(std::size_t bytes) { moved(used_.fetch_sub(bytes, std::memory_order_relaxed) - bytes); }

// Another thread may have changed the bytes or the level meanwhile: what it stored is looked at again.
void MemoryBudget::moved(std::size_t used) {
  MemoryLevel before = level_.load(std::memory_order_relaxed);
  MemoryLevel now = policy::level_of(used, limit_, before);
  while (now != before) {
    if (level_.compare_exchange_weak(before, now, std::memory_order_relaxed) && changed_) changed_();
    before = level_.load(std::memory_order_relaxed);
    now = policy::level_of(used_.load(std::memory_order_relaxed), limit_, before);
  }
}

}  // namespace gray::engine
