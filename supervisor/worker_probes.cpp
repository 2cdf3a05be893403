// How a worker is probed: when, by which request, and what an answer means.
#include <utility>

#include "supervisor/probe_ticks.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {
namespace {

constexpr unsigned kConnectEvery = 10;  // checks by connect: this many, less one, may be looks at the listener
constexpr Duration kProbeSlack{2'000};  // an answer that is this much later than its timeout is lost

}  // namespace

bool Worker::probes(WorkerState state) const {
  if (state == WorkerState::spawned) return judge_ && judge_->by_probe();
  return state == WorkerState::ready || state == WorkerState::healthy || state == WorkerState::unhealthy;
}

void Worker::forget_probe() {
  if (asked_ != 0) context_.asked.erase(asked_);
  asked_ = 0;
}

// For a healthy worker that is checked by a connect, a look at its listener costs a tenth of the connect, and does not
// wake the program. It shows the same, but not that the router reaches the address: so every tenth check connects, and
// each one while a connection waits to be accepted, or after a failure.
bool Worker::is_as_before(WorkerState state) {
  const bool may_look = std::exchange(may_look_, true) && state == WorkerState::healthy &&
                        settings_.health.path.empty() && last_answer_.empty();
  if (may_look && ++looks_ < kConnectEvery && claim_->listens_unchanged(address_, context_.kernel)) return true;
  looks_ = 0;
  return false;
}

void Worker::admit_routers() {
  if (!process_ || settings_.listen != ListenMode::unix_path) return;
  const std::string problem = process_->admit(context_.host.router_users());
  if (!problem.empty()) detail_ = problem;
}

std::optional<bool> Worker::ask_probe(WorkerState state, TimePoint now) {
  const bool fast = state == WorkerState::spawned || state == WorkerState::ready;
  next_poll_ = next_probe(now, fast ? kFastProbe : settings_.health.interval, generation_);
  if (asked_ != 0 && now < asked_at_ + settings_.health.timeout + kProbeSlack) return std::nullopt;
  forget_probe();
  if (is_as_before(state)) return std::nullopt;
  asked_ = ++context_.probe;
  asked_at_ = now;
  context_.asked[asked_] = place_;
  admit_routers();
  HttpProbe http = settings_.health;
  if (state == WorkerState::spawned) http.path = judge_->probe_path();
  if (context_.host.probe(asked_, *cell_, address_, claim_->owner(), http, settings_.health.timeout)) return true;
  forget_probe();
  return false;
}

// A passed probe counts only if this worker itself answered. To become ready by a probe, it must be seen to listen; if
// it reported ready, it is enough that no stranger does.
bool Worker::probed(std::uint64_t id, const ProbeResult& result, WorkerState state, TimePoint now) {
  if (id == 0 || id != asked_) return false;
  forget_probe();
  last_answer_ = result.ok ? std::string() : result.text;
  if (!process_ || !probes(state)) return true;
  if (result.peer && result.peer->uid != claim_->owner()) {
    met_stranger(*result.peer, state, now);
    return true;
  }
  Listener there;
  if (result.ok || result.peer)
    there = claim_->check(result.peer, address_, process_->containment(), context_.kernel);
  else
    there = claim_->check_path(address_);
  if (there.owner == Listener::Owner::stranger) {
    lost_address(there.complaint, state, now);
    return true;
  }
  if (there.owner == Listener::Owner::worker) {
    detail_.clear();
    stranger_.reset();
  }
  // Once, when it certainly listens. An inherited socket is ours.
  if (result.ok && state != WorkerState::spawned && !listener_)
    listener_ =
        settings_.listen == ListenMode::inherited ? ListenerView{} : look_at_listener(address_, context_.kernel);
  const bool ok = result.ok && (there.owner == Listener::Owner::worker || state != WorkerState::spawned);
  if (state != WorkerState::spawned)
    report({.kind = ok ? WorkerEvent::probe_ok : WorkerEvent::probe_failed});
  else
    judge_answer(ok, now);
  return true;
}

// The first answer lets the next worker start: see StartPlaces.
void Worker::judge_answer(bool ok, TimePoint now) {
  const bool before = judge_->answered();
  if (const auto way = judge_->probed(ok, now)) become_ready(*way, true);
  if (!before && judge_->answered()) wake_();
}

void Worker::met_stranger(const PeerOwner& found, WorkerState state, TimePoint now) {
  if (!process_ || !probes(state) || found.uid == claim_->owner()) return;
  if (claim_->changed_user(found, address_, process_->containment(), context_.kernel)) {
    context_.host.workers_changed();
    next_poll_ = now;
    return wake_();
  }
  if (stranger_ != found) detail_ = claim_->complaint(found, address_);  // a search in /proc
  stranger_ = found;
  lost_address(detail_, state, now);
}

void Worker::lost_address(const std::string& why, WorkerState state, TimePoint now) {
  if (detail_ != why) detail_ = why;
  if (state == WorkerState::spawned)
    (void)judge_->probed(false, now);
  else
    report({.kind = WorkerEvent::address_taken});
}

}  // namespace gray::supervisor
