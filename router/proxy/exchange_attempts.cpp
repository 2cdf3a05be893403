// What follows an attempt that did not give the answer: it is repeated, or the next version is asked for the asset that
// a version does not have (policy/asset.hpp).
//
// An asset: the first answer is kept if it is small, and each answer that is not the asset is read to its end, so that
// the worker's connection can be used again. The socket is given back before the next version is asked: no request
// holds one while it waits for another. A version that cannot be asked, or fails, is passed over. If no version has the
// asset the first answer is sent; one that was too large to be kept is asked for again.
#include "router/policy/asset.hpp"
#include "router/proxy/exchange.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr Duration kDropTime{250};  // for the rest of an answer that is not sent

}  // namespace

void Exchange::charge() {
  context_.recorder.failed_attempt(routing_.version()->row, record_.counts.reason, routing_.targeted(),
                                   routing_.identity_hash(), routing_.client());
}

policy::Attempt Exchange::facts_of_attempt(bool arrived) const {
  return {.method = request_.method,
          .response_started = attempt_.side->answered(),
          .request_sent = arrived,
          .undelivered = attempt_.undelivered,
          .body_replayable = replay_.whole(),
          .retries = record_.counts.retries,
          .reused = attempt_.side->reused(),
          .failure = record_.counts.reason,
          .decision = routing_.decision(),
          .on_stable = routing_.on_stable(),
          .withdrawn = attempt_.withdrawn};
}

void Exchange::judge() {
  const bool arrived = attempt_.side->may_have_arrived();
  if (attempt_.side->sent() && !arrived) ++attempt_.undelivered;
  const policy::Attempt attempt = facts_of_attempt(arrived);
  policy::Retry verdict = policy::judge(attempt);
  if (verdict == policy::Retry::same_version && !within_budget(attempt.failure)) verdict = policy::Retry::no;
  attempt_.avoid = attempt_.worker->generation;
  accepts_body_ = false;
  const Reason reason = record_.counts.reason;  // a lack of memory here is not the worker's fault
  drop_upstream(reason != Reason::overloaded && (reason != Reason::upstream_closed || !attempt.reused));
  attempt_.fresh_only = verdict == policy::Retry::fresh_socket;
  if (verdict == policy::Retry::no && routing_.asks_others()) charge();
  if (verdict == policy::Retry::no) return feed(routing_.asks_others() ? Event::missing : Event::give_up);
  if (verdict == policy::Retry::fresh_socket) {
    attempt_.avoid = 0;
    return feed(Event::retry);
  }
  if (verdict == policy::Retry::again) return feed(Event::retry);
  ++record_.counts.retries;
  charge();
  if (verdict == policy::Retry::on_stable) go_to_stable(attempt.failure);
  feed(Event::retry);
}

// A request that goes to stable is no additional load: stable would have had it without the canary. One of a process
// that has ended is repeated whatever the budget says.
bool Exchange::within_budget(Reason failure) {
  if (!policy::needs_budget(failure)) return true;
  Version& version = *routing_.version();
  Worker& worker = *attempt_.worker;
  const bool may_have_ended = failure == Reason::upstream_closed &&
                              worker.losses.covers(version.limits.max_sockets, context_.shard.engine.now());
  if (!worker.able || may_have_ended) return true;
  segment::Row& row = context_.backends.counters().row(version.row);
  if (version.retries.begin(row.in_flight.load(std::memory_order_relaxed))) {
    budget_ = &version.retries;
    return true;
  }
  stats::add(row.retries_refused[static_cast<std::size_t>(failure)]);
  return false;
}

// ---- an asset that the version does not have

void Exchange::begin_drop(const http::Response& head) {
  routing_.count_lack();
  if (!routing_.asks_others()) kept_.begin(head, info_.connection);
  if (routing_.asks_others() && head.status >= 500) charge();
  feed(Event::missing);
}

void Exchange::drop_answer() {
  attempt_.dropped = 0;
  arm(kDropTime);
}

void Exchange::drop_data(std::string_view payload) {
  kept_.add(payload);
  attempt_.dropped += payload.size();
  if (attempt_.dropped > policy::kDroppedBytes) feed(Event::missing);
}

void Exchange::response_end() {
  if (state_ == State::dropping) kept_.end();
  feed(Event::response_end);
}

// A version that is asked only because others lack the asset answers no request by failing.
Event Exchange::refusal() const { return routing_.asks_others() ? Event::missing : Event::refused; }

void Exchange::ask_next() {
  if (linked) leave_queue();
  if (attempt_.side != nullptr) {
    leave_slow_share();
    std::exchange(attempt_.side, nullptr)->release();
  }
  kept_.settle();
  attempt_ = {.worker = attempt_.worker};
  record_.counts.reason = Reason::none;
  record_.fault = {.status = 0};
  if (!routing_.ask_next() && kept_.whole()) return feed(Event::kept);
  acquire();
}

void Exchange::send_kept() {
  use_worker(nullptr);
  response_ = &kept_.head(request_.method, *context_.kept_head);
  start_response();
  response_ = nullptr;
  if (!kept_.body().empty()) response_data(kept_.body());
  client_->end_response(false);
  conclude();
  client_->done();
}

}  // namespace gray::proxy
