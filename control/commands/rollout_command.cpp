#include "control/commands/rollout_command.hpp"

#include <fmt/format.h>

#include "control/release/formers.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

Reply rollout_conflict(std::string error) { return refusal(ExitCode::conflict, std::move(error)); }

Reply not_in_this_state(const std::string& service, const Rollout& rollout, RolloutEvent event) {
  const auto what = fmt::format("{} and cannot be {}", text_of(service, rollout), done_by(event));
  const char* remedy = "to end it: grayctl rollout abort";
  if (!is_running(rollout.state)) remedy = "to start it again: grayctl rollout retry";
  if (rollout.state == RolloutState::promoted) remedy = "to go back: grayctl undo";
  return rollout_conflict(fmt::format("{}; {} {}", what, remedy, service));
}

}  // namespace

const char* done_by(RolloutEvent event) {
  switch (event) {
    case RolloutEvent::pause: return "paused";
    case RolloutEvent::resume: return "resumed";
    case RolloutEvent::next: return "moved to its next step";
    case RolloutEvent::full: return "promoted";
    case RolloutEvent::abort: return "aborted";
    case RolloutEvent::retry: return "tried again";
    default: return "changed";
  }
}

const Rollout* rollout_in(const State& state, const std::string& service) {
  const auto found = state.find(service);
  return found == state.end() || !found->second.rollout ? nullptr : &*found->second.rollout;
}

Reply judge_rollout_room(const ServiceSettings& service, const std::string& version, const State& state) {
  if (const auto* running = running_rollout(fact_of(state, service.name)); running != nullptr) {
    return rollout_conflict(
        fmt::format("{}; to end it: grayctl rollout abort {}", text_of(service.name, *running), service.name));
  }
  const auto shares = shares_of(service, state);
  if (shares.canary.empty() || shares.canary == version) return {};
  return rollout_conflict(fmt::format("{0} already has {1:g}% of {2}; first: grayctl shift {2} {0} 0", shares.canary,
                                      shares.weight, service.name));
}

Reply judge_rollout_start(const RolloutOrder& order, const Settings& settings, const State& state) {
  const auto* service = settings.service(order.service);
  if (service == nullptr) return refusal(ExitCode::usage, unknown_service(settings, order.service));
  if (auto error = unknown_version(*service, order.version); !error.empty())
    return refusal(ExitCode::usage, std::move(error));
  if (auto error = Rollout::error_in_steps(order.steps.empty() ? service->rollout.steps : order.steps); !error.empty())
    return refusal(ExitCode::usage, std::move(error));
  const auto shares = shares_of(*service, state);
  if (order.version == shares.stable)
    return refusal(ExitCode::usage,
                   fmt::format("{} is the stable version of {} already", order.version, order.service));
  if (auto room = judge_rollout_room(*service, order.version, state); room.code != ExitCode::ok) return room;
  if (is_stopped(state, order.service, order.version)) {
    return rollout_conflict(
        fmt::format("{1} of {0} is stopped; first: grayctl start {0} {1}", order.service, order.version));
  }
  return {};
}

Reply judge_rollout_command(RolloutEvent event, const ServiceSettings& service, const State& state,
                            const std::vector<VersionView>& views) {
  const auto& rollout = *rollout_in(state, service.name);
  const auto action = transition(rollout.state, event).action;
  if (action == RolloutAction::refuse) return not_in_this_state(service.name, rollout, event);
  if (action == RolloutAction::go_back) {
    const auto target = undo_target(service, state);
    if (!target.empty() && is_up(view_of(views, service.name, target))) return {};
    return rollout_conflict(
        fmt::format("{0} is the stable version of {1}, and the one before is not up; to start it "
                    "and go back: grayctl undo {1}",
                    rollout.version, service.name));
  }
  if (event != RolloutEvent::next && event != RolloutEvent::full) return {};
  const auto* view = view_of(views, service.name, rollout.version);
  if (is_up(view)) return {};
  const auto cause = view == nullptr || view->cause.empty() ? "its workers are not healthy" : view->cause;
  return rollout_conflict(
      fmt::format("{} of {} is not up: {}; nothing was changed", rollout.version, service.name, cause));
}

}  // namespace gray::control
