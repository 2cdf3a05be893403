// What a connection does when the router is short of memory (policy/memory_ladder.hpp).
#include <algorithm>

#include "router/downstream/downstream.hpp"

namespace gray::proxy {

Duration Downstream::idle_timeout() const {
  const Duration usual = context().tables.current().idle_timeout;
  if (!presses(policy::MemoryLevel::hurry)) return usual;
  return policy::hurried(usual, context().shard.memory.used(), context().shard.memory.limit());
}

// It may have been idle for a while already, so it gets at most as much again.
void Downstream::hurry(Duration timeout) {
  if (!idle() || arrival_.began() || phase_ != Phase::head) return;
  const TimePoint until = engine().now() + timeout;
  if (!timer_.armed() || timer_.deadline() <= until) return;
  engine().timers().arm(timer_, until);
}

void Downstream::shed() {
  if (!is_active()) return cut();
  transaction_->exchange.give_up_memory();
  context().shard.outbox.flush();
}

}  // namespace gray::proxy
