// A client connection that was upgraded.
#include "router/proxy/downstream.hpp"

namespace gray::proxy {

// What the client has sent behind its request goes first; after this the exchange has heard all of it.
void Downstream::open_tunnel(const http::Response& head, const http::ResponseExtras& extras) {
  char* out = context_.shard.outbox.room(stream_, http::response_bound(head, extras));
  context_.shard.outbox.commit(http::write_response(head, extras, {.client = version_}, out));
  phase_ = Phase::tunnel;
  chunked_answer_ = false;
  close_after_ = true;
  engine().timers().disarm(timer_);
  engine().read_limit(stream_, engine::kMaxRead);
  engine().resume(stream_, engine::Pause::busy);
  take_all();
  if (context_.draining) owner_.settled();
}

void Downstream::finish() { engine().finish(stream_); }

void Downstream::end_tunnel(segment::Reason reason) {
  if (phase_ == Phase::tunnel) exchange_.end_tunnel(reason);
}

}  // namespace gray::proxy
