#include "control/commands/rollouts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/base/units.hpp"
#include "control/release/formers.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

constexpr const char* kGrayd = "grayd";

/// In the history. Empty: it is a part of the change before.
const char* name_of_change(RolloutEvent event, RolloutAction action) {
  switch (event) {
    case RolloutEvent::applied:
    case RolloutEvent::is_stable: return "";
    case RolloutEvent::up:
    case RolloutEvent::held: return action == RolloutAction::make_stable ? "rollout-promoted" : "rollout-step";
    case RolloutEvent::version_failed:
    case RolloutEvent::judged_bad:
    case RolloutEvent::abort: return "rollout-abort";
    case RolloutEvent::pause: return "rollout-pause";
    case RolloutEvent::resume: return "rollout-resume";
    case RolloutEvent::next:
    case RolloutEvent::full: return "rollout-promote";
    case RolloutEvent::retry: return "rollout-retry";
    case RolloutEvent::count: break;
  }
  return "";
}

/// A router that is too slow gets the table as well.
bool is_in_force(const Reply& reply) { return reply.code == ExitCode::ok || reply.code == ExitCode::timeout; }

/// The step to begin with: one that takes no user away from a version that has some already.
std::uint32_t steps_below(const std::vector<double>& steps, double weight) {
  return static_cast<std::uint32_t>(std::ranges::count_if(steps, [&](double step) { return step < weight; }));
}

}  // namespace

/// Resets what is known of the rollout; changes in progress still end.
void Rollouts::forget(Run& run) { run = {.changing = run.changing}; }

const Rollout* Rollouts::find(const std::string& service) const { return rollout_in(live_.wanted(), service); }

std::optional<Verdict> Rollouts::verdict(const std::string& service, const std::string& version) const {
  const auto found = runs_.find(service);
  return found == runs_.end() || found->second.watch.canary() != version ? std::nullopt : found->second.watch.verdict();
}

double Rollouts::weight(const std::string& service, const std::string& version) const {
  return shares_of(*settings_.service(service), live_.published()).of(version);
}

bool Rollouts::looks() const {
  return std::ranges::any_of(settings_.services, [this](const ServiceSettings& service) {
    const auto* rollout = find(service.name);
    return (rollout != nullptr && is_running(rollout->state)) || shares_of(service, live_.published()).weight > 0;
  });
}

bool Rollouts::settled() const {
  return std::ranges::all_of(runs_, [](const auto& entry) { return entry.second.changing == 0; });
}

std::string Rollouts::reason(const std::string& service, TimePoint now) const {
  const auto* rollout = find(service);
  if (rollout == nullptr) return {};
  const auto found = runs_.find(service);
  if (rollout->state != RolloutState::holding || found == runs_.end()) return rollout->reason;
  const auto& run = found->second;
  if (!run.waits_for.empty()) return run.waits_for;
  const auto left = std::max(Duration{0}, std::chrono::ceil<Duration>(run.hold_began + rollout->hold - now));
  return fmt::format("{} until the next step", format_duration(std::chrono::ceil<std::chrono::seconds>(left)));
}

// ---- operators

void Rollouts::start(const RolloutOrder& order, const std::string& actor, Done done) {
  auto verdict = judge_rollout_start(order, settings_, live_.wanted());
  if (verdict.code != ExitCode::ok) return done(std::move(verdict));
  const auto& service = *settings_.service(order.service);
  Rollout rollout;
  rollout.version = order.version;
  rollout.steps = order.steps.empty() ? service.rollout.steps : order.steps;
  rollout.hold = order.hold.value_or(service.rollout.hold);
  rollout.latency = service.rollout.latency;
  const auto shares = shares_of(service, live_.wanted());
  rollout.begun = steps_below(rollout.steps, shares.of(order.version));
  rollout.since = wall_now();
  rollout.actor = actor;
  rollout.reason = "waits until " + order.version + " is up";
  auto next = fact_of(live_.wanted(), order.service);
  next.aborted.erase(order.version);
  next.withdrawn.erase(order.version);
  if (order.salt) next.salts[order.version] = *order.salt;
  forget(runs_[order.service]);
  next.rollout = rollout;
  report(order.service, rollout);
  AuditEntry change{.service = order.service, .version = order.version, .what = "rollout-start", .actor = actor};
  changes_.save_first(std::move(change), std::move(next), "started", counted(order.service, std::move(done)));
}

void Rollouts::command(const std::string& service, RolloutEvent event, const std::string& actor, bool freeze,
                       Done done) {
  const auto* settings = settings_.service(service);
  if (settings == nullptr) return done(refusal(ExitCode::usage, unknown_service(settings_, service)));
  if (find(service) == nullptr) {
    // Nothing runs, so an abort has nothing to do.
    if (event == RolloutEvent::abort) return done({ExitCode::ok, {{"schema_version", 1}}, {}});
    return done(
        refusal(ExitCode::conflict,
                fmt::format("there is no rollout of {0}; to start one: grayctl rollout start {0} VERSION", service)));
  }
  auto verdict = judge_rollout_command(event, *settings, live_.wanted(), host_.report().views);
  if (verdict.code != ExitCode::ok) return done(std::move(verdict));
  feed(service, event, {actor, freeze}, fmt::format("{} by {}", done_by(event), actor), std::move(done));
}

// ---- looks

/// While grayd is being replaced or stops, nothing may be changed: a change would be lost.
void Rollouts::advance(TimePoint now, const Sight& sight) {
  if (host_.stopping() || !host_.locked().empty()) return;
  for (const auto& service : settings_.services) {
    auto& run = runs_[service.name];
    const auto alarm = look(now, service, sight, run);
    const auto* rollout = find(service.name);
    const bool runs = rollout != nullptr && is_running(rollout->state);
    if (alarm && runs) {
      feed(service.name, RolloutEvent::judged_bad, {kGrayd}, *alarm, [](const Reply&) {});
    } else if (alarm) {
      withdraw_users(service, *alarm, run);
    } else if (runs) {
      follow(now, service, *rollout, sight, run);
    } else {
      report_verdict(service, run);
    }
  }
  std::erase_if(runs_, [this](const auto& entry) {
    return settings_.service(entry.first) == nullptr && entry.second.changing == 0;
  });
}

std::optional<std::string> Rollouts::look(TimePoint now, const ServiceSettings& service, const Sight& sight, Run& run) {
  const auto shares = shares_of(service, live_.published());
  const auto stable = sight.rows.find(service.name, shares.stable);
  const auto canary = shares.weight > 0 ? sight.rows.find(service.name, shares.canary) : std::nullopt;
  if (!stable || !canary) {
    run.watch.look(now, std::nullopt, sight.layout);
    run.alarms = {};
    return std::nullopt;
  }
  const auto* rollout = find(service.name);
  const auto limit =
      rollout != nullptr && rollout->version == shares.canary ? rollout->latency : service.rollout.latency;
  if (run.watch.canary() != shares.canary) run.alarms = {};
  run.watch.look(now, Watch::Split{shares.stable, shares.canary, *stable, *canary, shares.weight, limit}, sight.layout);
  const auto* of_canary = view_of(sight.views, service.name, shares.canary);
  const auto* of_stable = view_of(sight.views, service.name, shares.stable);
  if (of_canary == nullptr || of_stable == nullptr) return std::nullopt;
  const auto memory = [&](const std::string& version) {
    return sight.memory ? sight.memory(service.name, version) : nullptr;
  };
  return run.alarms.look(now, {of_canary, run.watch.canary_totals(), memory(shares.canary)},
                         {of_stable, run.watch.stable_totals(), memory(shares.stable)}, sight.meter);
}

/// Without a rollout: all users go to stable, which is up.
void Rollouts::withdraw_users(const ServiceSettings& service, const std::string& reason, Run& run) {
  const auto version = run.watch.canary();
  auto next = fact_of(live_.published(), service.name);
  next.weights[version] = 0;
  next.withdrawn.insert(version);
  host_.emit({.kind = EventKind::judged,
              .service = service.name,
              .version = version,
              .cause = "alarm",
              .text = fmt::format("{}; all users get {} again; to give it users: grayctl shift {} {} N", reason,
                                  shares_of(service, live_.published()).stable, service.name, version)});
  AuditEntry change{.service = service.name, .version = version, .what = "alarm", .actor = kGrayd, .reason = reason};
  change.verdict = run.watch.verdict();
  changes_.publish_first(std::move(change), std::move(next), counted(service.name, [](const Reply&) {}));
}

/// Without a rollout nothing is changed: the verdict is an event.
void Rollouts::report_verdict(const ServiceSettings& service, Run& run) {
  const auto verdict = run.watch.verdict();
  if (!verdict) return run.reported.reset();
  const bool fails = verdict->result == VerdictResult::fail;
  if (fails == (run.reported == VerdictResult::fail)) return;
  run.reported = verdict->result;
  EventRecord event{.kind = EventKind::judged, .service = service.name, .version = run.watch.canary()};
  event.cause = fails ? name_of(*verdict->metric) : name_of(verdict->result);
  event.text = fails ? fmt::format("worse than stable: {}; to go back: grayctl shift {} {} 0", verdict->text,
                                   service.name, run.watch.canary())
                     : "no longer worse than stable";
  host_.record({.service = service.name,
                .version = event.version,
                .what = "verdict",
                .actor = kGrayd,
                .reason = fails ? "worse than stable: " + verdict->text : event.text,
                .verdict = verdict});
  host_.emit(std::move(event));
}

void Rollouts::follow(TimePoint now, const ServiceSettings& service, const Rollout& rollout, const Sight& sight,
                      Run& run) {
  const auto* view = view_of(sight.views, service.name, rollout.version);
  const auto feed_own = [&](RolloutEvent event, const std::string& why) {
    feed(service.name, event, {kGrayd}, why, [](const Reply&) {});
  };
  if (service.version(rollout.version) == nullptr)
    return feed_own(RolloutEvent::version_failed, "the version was removed");
  if (is_stopped(live_.wanted(), service.name, rollout.version))
    return feed_own(RolloutEvent::version_failed, "the version was stopped");
  if (view != nullptr && view->state == VersionState::failed)
    return feed_own(RolloutEvent::version_failed, view->cause);
  if (const auto verdict = run.watch.verdict(); verdict && verdict->result == VerdictResult::fail)
    return feed_own(RolloutEvent::judged_bad, verdict->text);
  if (run.changing > 0 || now < run.not_before) return;
  const auto shares = shares_of(service, live_.published());
  if (shares.stable == rollout.version) return feed_own(RolloutEvent::is_stable, rollout.version + " is stable");
  if (shares.of(rollout.version) != rollout.weight() && rollout.state != RolloutState::starting)
    return feed_own(RolloutEvent::judged_bad, "its users were taken away by an operator");
  switch (rollout.state) {
    case RolloutState::starting:
      if (is_up(view)) feed_later(now, service.name, RolloutEvent::up, rollout.version + " is up", run);
      return;
    case RolloutState::stepping:  // grayd was started in the middle of it
      return feed(service.name, RolloutEvent::applied, {kGrayd}, "", [](const Reply&) {});
    case RolloutState::promoting:
      run.not_before = now + kRetry;
      return promote({.service = service.name,
                      .version = rollout.version,
                      .what = "rollout-promoted",
                      .actor = kGrayd,
                      .reason = "tried again"},
                     rollout, [](const Reply&) {});
    case RolloutState::holding: return hold(now, service.name, rollout, is_up(view), run);
    default: return;
  }
}

/// The hold time begins anew when the version was not up. A verdict that is not a pass stretches it.
void Rollouts::hold(TimePoint now, const std::string& service, const Rollout& rollout, bool up, Run& run) {
  run.waits_for.clear();
  if (!up) {
    run.hold_began = now;
    run.waits_for = rollout.version + " is not up";
    return;
  }
  if (run.hold_began == TimePoint{}) run.hold_began = now;
  const bool begun = rollout.begun > 0;  // a pause may come before the first step
  const auto verdict = run.watch.verdict();
  if (begun && verdict && verdict->result == VerdictResult::insufficient) run.waits_for = verdict->text;
  if (begun && (now < run.hold_began + rollout.hold || !verdict || verdict->result != VerdictResult::pass)) return;
  feed_later(now, service, RolloutEvent::held, "held long enough", run);
}

// ---- the machine

/// A raise by grayd itself: if it cannot be saved, it is tried again later.
void Rollouts::feed_later(TimePoint now, const std::string& service, RolloutEvent event, std::string reason, Run& run) {
  run.not_before = now + kRetry;
  feed(service, event, {kGrayd}, std::move(reason), [this, service](const Reply& reply) {
    if (reply.code == ExitCode::ok) runs_[service].not_before = {};
  });
}

void Rollouts::feed(const std::string& service, RolloutEvent event, const Cause& cause, std::string reason, Done done) {
  auto next = fact_of(live_.wanted(), service);
  Rollout& rollout = *next.rollout;
  auto [state, action] = transition(rollout.state, event);
  if (state == rollout.state && action == RolloutAction::none) return done({ExitCode::ok, {{"schema_version", 1}}, {}});
  if (action == RolloutAction::raise && rollout.is_last_step()) {
    state = RolloutState::promoting;
    action = RolloutAction::make_stable;
  }
  auto& run = runs_[service];
  AuditEntry change{.service = service,
                    .version = rollout.version,
                    .what = name_of_change(event, action),
                    .actor = cause.actor,
                    .reason = cause.actor == kGrayd ? reason : std::string(),
                    .verdict = run.watch.verdict()};
  rollout.state = state;
  rollout.since = wall_now();
  rollout.actor = cause.actor;
  rollout.reason = std::move(reason);
  rollout.freeze = cause.freeze;
  rollout.verdict = is_running(state) ? std::nullopt : run.watch.verdict();
  run.hold_began = {};
  run.waits_for.clear();
  report(service, rollout);
  carry_out(action, std::move(change), std::move(next), counted(service, std::move(done)));
}

void Rollouts::carry_out(RolloutAction action, AuditEntry change, ServiceState next, Done done) {
  Rollout& rollout = *next.rollout;
  switch (action) {
    case RolloutAction::raise: return raise(std::move(change), std::move(next), std::move(done));
    case RolloutAction::make_stable: return promote(std::move(change), std::move(rollout), std::move(done));
    case RolloutAction::begin:
      rollout.begun = 0;
      forget(runs_[change.service]);
      [[fallthrough]];
    case RolloutAction::zero: return zero(std::move(change), std::move(rollout), std::move(done));
    case RolloutAction::none:
      return changes_.save_first(std::move(change), std::move(next), "changed", std::move(done));
    case RolloutAction::go_back: return go_back(std::move(change), std::move(rollout), std::move(done));
    case RolloutAction::refuse:
      return done(refusal(ExitCode::conflict, "the rollout cannot do this now"));  // checked before
  }
}

/// What is still being saved is dropped: the state in force is changed. If the version is stable in it already, the way
/// back is the one after a promotion.
void Rollouts::zero(AuditEntry change, Rollout rollout, Done done) {
  const auto service = change.service;
  if (shares_of(*settings_.service(service), live_.published()).stable == rollout.version)
    return go_back(std::move(change), std::move(rollout), std::move(done));
  auto next = fact_of(live_.published(), service);
  next.weights[rollout.version] = 0;
  const bool ended = !is_running(rollout.state);
  if (ended && !rollout.freeze && next.deployed.contains(rollout.version)) {
    next.aborted[rollout.version] = rollout.since;
  } else {
    next.aborted.erase(rollout.version);
  }
  ended ? void(next.withdrawn.insert(rollout.version)) : void(next.withdrawn.erase(rollout.version));
  next.rollout = std::move(rollout);
  changes_.publish_first(std::move(change), std::move(next), std::move(done));
}

void Rollouts::go_back(AuditEntry change, Rollout rollout, Done done) {
  const auto service = change.service;
  const auto& settings = *settings_.service(service);
  const auto target = undo_target(settings, live_.published());
  if (target.empty()) return done(refusal(ExitCode::conflict, service + " has no stable version before"));
  auto next = gone_back(settings, live_.published(), target, wall_now());
  next.rollout = std::move(rollout);
  changes_.publish_first(std::move(change), std::move(next), std::move(done));
}

void Rollouts::raise(AuditEntry change, ServiceState next, Done done) {
  const auto service = change.service;
  Rollout& rollout = *next.rollout;
  ++rollout.begun;
  next.weights[rollout.version] = rollout.weight();
  change.reason = step_text(rollout) + (change.reason.empty() ? "" : ": " + change.reason);
  changes_.save_first(std::move(change), std::move(next), "changed",
                      [this, service, done = std::move(done)](const Reply& reply) {
                        if (is_in_force(reply)) feed(service, RolloutEvent::applied, {kGrayd}, "", [](const Reply&) {});
                        done(reply);
                      });
}

void Rollouts::promote(AuditEntry change, Rollout rollout, Done done) {
  const auto service = change.service;
  auto next = make_stable(*settings_.service(service), live_.wanted(), rollout.version, wall_now());
  next.rollout = std::move(rollout);
  changes_.save_first(std::move(change), std::move(next), "promoted",
                      [this, service, done = std::move(done)](const Reply& reply) {
                        if (is_in_force(reply))
                          feed(service, RolloutEvent::is_stable, {kGrayd}, "", [](const Reply&) {});
                        done(reply);
                      });
}

/// Counts a change while it is being carried out.
Rollouts::Done Rollouts::counted(const std::string& service, Done done) {
  ++runs_[service].changing;
  return [this, service, done = std::move(done)](Reply reply) {
    --runs_[service].changing;
    done(std::move(reply));
  };
}

void Rollouts::report(const std::string& service, const Rollout& rollout) {
  EventRecord event{.kind = EventKind::rollout, .service = service, .version = rollout.version};
  event.cause = name_of(rollout.state);
  event.text =
      rollout.begun == 0 ? name_of(rollout.state) : fmt::format("{}, {}", name_of(rollout.state), step_text(rollout));
  if (!rollout.reason.empty()) event.text += ": " + rollout.reason;
  if (rollout.actor != kGrayd) event.text += fmt::format(" (requested by {})", rollout.actor);
  host_.emit(std::move(event));
}

}  // namespace gray::control
