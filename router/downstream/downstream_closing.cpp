// How a request ends on a connection, and how a connection ends.
#include <utility>

#include "router/downstream/downstream.hpp"

namespace gray::proxy {
namespace {

constexpr Duration kLinger{2'000};  // to read and drop what a refused client still sends
constexpr Duration kFlush{30'000};  // to take the rest of the last answer

}  // namespace

void Downstream::done() {
  end_transaction();
  if (close_after_) return close_gently();
  next_request();
}

void Downstream::next_request() {
  phase_ = Phase::head;
  arm(idle_timeout());
  engine().resume(stream_, engine::Pause::busy | engine::Pause::waiting);
  take_all();
  if (context().draining) owner_.settled();
}

// A client that did not ask for the close may be sending its next request: a reset would lose our answer (P26).
void Downstream::close_gently() {
  context().shard.outbox.flush();
  phase_ = Phase::closing;
  if (keep_alive_ || inbox_) reset_input_ = true;
  inbox_.reset();
  engine().timers().disarm(timer_);
  engine().close_after_send(stream_, kFlush, reset_input_ ? kLinger : Duration{0});
}

void Downstream::cut() {
  end_transaction();
  context().shard.outbox.flush();  // the gathered bytes belong to the cut answer or to an earlier one
  // A body that ends with the connection would look complete with a FIN: only a reset shows that it is not.
  if (is_open()) engine().abort(stream_);
  close_now();
}

void Downstream::close_now() {
  if (http2_) http2_->shut();
  end_transaction();
  phase_ = Phase::closing;
  inbox_.reset();
  engine().timers().disarm(timer_);
  engine().close(stream_);
}

void Downstream::on_closed() {
  end_transaction();
  http2_.reset();
  stream_ = {};
  if (std::exchange(tls_, nullptr) != nullptr) owner_.tls_closed();
  owner_.gone(*this);
}

}  // namespace gray::proxy
