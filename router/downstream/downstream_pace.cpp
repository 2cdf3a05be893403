// Whether the client of a connection is too slow: within a request, and after the last answer.
#include "router/downstream/client_faults.hpp"
#include "router/downstream/downstream.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr std::uint64_t kAnyAmount = std::uint64_t{1} << 62;  // more than can be untaken

}  // namespace

ClientWatch::Verdict Downstream::look(bool uploads, std::uint64_t moved) {
  return transaction_->watch.sample({.now = engine().now(),
                                     .uploads = uploads,
                                     .moved = moved,
                                     .unsent = engine().unsent(stream_),
                                     .untaken = engine().untaken(stream_),
                                     .min_rate = transaction_->exchange.limits().min_rate,
                                     .window = context().rate_window});
}

void Downstream::sample() {
  Exchange& exchange = transaction_->exchange;
  ClientWatch& watch = transaction_->watch;
  const bool uploads = exchange.awaits_body();
  const ClientWatch::Verdict verdict = look(uploads, exchange.moved());
  if (verdict.too_slow) {
    reset_input_ = true;
    return exchange.client_slow(Reason::request_timeout, uploads ? kSlowBody : kSlowReader);
  }
  watch.sampled(phase_ == Phase::body || engine().unsent(stream_) > 0);
  if (watch.on()) arm(ClientWatch::interval(context().rate_window));
  if (verdict.pace || !watch.on()) exchange.client_pace(verdict.pace);
}

// The client has all of its previous answer only now: the time for its next request begins again.
void Downstream::on_answer_sent() {
  end_transaction();
  arm(idle_timeout());
}

// No next request within the timeout: the client may still be reading the previous answer. Its pace is measured from
// now on, by the part that it has not taken yet.
void Downstream::on_idle_timeout() {
  if (engine().unsent(stream_) == 0) return close_now();
  if (!begun()) return;
  if (look(false, kAnyAmount).too_slow) return close_now();
  arm(ClientWatch::interval(context().rate_window));
}

}  // namespace gray::proxy
