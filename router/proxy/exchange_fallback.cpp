// A canary that cannot answer a user who did not ask for it: the request goes to stable.
//
//  - The canary has no socket and no place in its queue for it, or the wait was too long: nothing was sent, so every
//    request may go. The canary is charged.
//  - The users of the canary were taken away (VersionRoute::withdrawn). Requests that wait for a socket go at once. One
//    that was sent has kWithdrawnWait for its first byte, because the canary may be sound, and goes if it may be
//    repeated (policy/retry.hpp).
//
// Failed attempts are judged in exchange_attempts.cpp.
#include "router/proxy/exchange.hpp"

namespace gray::proxy {

using segment::Reason;

// Nothing of the attempt was sent. Without a `reason` it is not a failure of the canary.
void Exchange::leave_canary(Reason reason) {
  if (linked) leave_queue();
  record_.counts.reason = reason;
  if (reason != Reason::none) charge();
  record_.counts.reason = Reason::none;
  go_to_stable(reason);
  feed(Event::retry);
}

// The deadline of the canary is over, too: a request that waits for stable has the usual one.
void Exchange::go_to_stable(Reason reason) {
  attempt_.withdrawn = false;
  routing_.fall_back(reason);
}

void Exchange::refuse(Reason reason) {
  if (routing_.is_assigned()) return leave_canary(reason);
  feed(refusal(), reason);
}

// A request that was sent has a little time for its answer, because the canary may be sound. One that may not be
// repeated is left alone.
void Exchange::version_withdrawn() {
  if (!routing_.is_assigned()) return;
  auto& timers = context_.shard.engine.timers();
  if (state_ == State::waiting) {
    attempt_.withdrawn = true;
    return timers.arm(deadline_, context_.shard.engine.now());
  }
  if (state_ != State::awaiting) return;
  policy::Attempt attempt = facts_of_attempt(attempt_.side->may_have_arrived());
  attempt.withdrawn = true;
  attempt.failure = Reason::response_timeout;
  if (policy::judge(attempt) != policy::Retry::on_stable) return;
  attempt_.withdrawn = true;
  timers.arm(deadline_, std::max(context_.shard.engine.now(), record_.granted + policy::kWithdrawnWait));
}

// No version that was asked in place of another one answers a request by failing.
void Exchange::wait_is_over() {
  const Reason reason = reason_of_deadline(state_);
  if (routing_.is_assigned()) return leave_canary(reason);
  feed(routing_.asks_others() ? Event::missing : Event::deadline, reason);
}

}  // namespace gray::proxy
