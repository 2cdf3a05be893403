#pragma once
// The bytes that the data path of a router process may use, in all its threads, and the level of pressure that follows
// (policy/memory_ladder.hpp).
//
// Model: whoever allocates for connections or requests adds the bytes here, and takes them off when the memory is given
// back to the allocator: bytes in free lists are in use. take() may refuse; add() may not, for what has to exist for a
// client to be told. Any thread; no lock.
//
// Invariants: what take() grants never exceeds the limit. The level belongs to the bytes in use. `changed` is called
// once for each change of the level, on the thread that caused it; calls of two threads may overlap.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "router/policy/memory_ladder.hpp"

namespace gray::engine {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit, std::function<void()> changed = {})
      : limit_(limit), changed_(std::move(changed)) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// False, and nothing changed: the bytes would exceed the limit.
  bool take(std::size_t bytes);
  /// The same without a limit.
  void add(std::size_t bytes);
  void give(std::size_t bytes);

  std::size_t limit() const { return limit_; }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  policy::MemoryLevel level() const { return level_.load(std::memory_order_relaxed); }
  bool at_least(policy::MemoryLevel level) const { return this->level() >= level; }

 private:
  void moved(std::size_t used);

  const std::size_t limit_;
  const std::function<void()> changed_;
  std::atomic<std::size_t> used_{0};
  std::atomic<policy::MemoryLevel> level_{policy::MemoryLevel::ample};
};

}  // namespace gray::engine
