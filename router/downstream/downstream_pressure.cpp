// What a connection counts for in the memory budget, and what it does when the router is short of memory
// (policy/memory_ladder.hpp).
#include "router/downstream/downstream.hpp"
#include "router/engine/stream.hpp"

namespace gray::proxy {
namespace {

constexpr std::size_t kDownstreamBytes = sizeof(Downstream) + sizeof(engine::Stream);

}  // namespace

Downstream::Downstream(DownstreamOwner& owner)
    : owner_(owner), timer_(this, [](void* self, TimePoint) { static_cast<Downstream*>(self)->on_timer(); }) {
  owner_.context.shard.memory.add(kDownstreamBytes);
}

Downstream::~Downstream() { owner_.context.shard.memory.give(kDownstreamBytes); }

Duration Downstream::idle_timeout() const {
  const Duration usual = context().tables.current().idle_timeout;
  if (!presses(policy::MemoryLevel::hurry)) return usual;
  return policy::hurried(usual, context().shard.memory.used(), context().shard.memory.limit());
}

// It may have been idle for a while already, so it gets at most as much again.
void Downstream::hurry(Duration timeout) {
  const bool rests = phase_ == Phase::http2 ? http2_->greeted() && http2_->requests() == 0 && !http2_->draining()
                                            : phase_ == Phase::head && idle() && !arrival_.began();
  if (!rests) return;
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
