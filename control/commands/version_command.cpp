#include "control/commands/version_command.hpp"

#include <fmt/core.h>

#include "control/release/formers.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

CommandVerdict conflict(std::string error) { return {ExitCode::conflict, std::move(error), {}}; }

bool is_replacing(const VersionView* view) {
  return view != nullptr && view->replacement && view->replacement->state == ReplacementState::running;
}

std::string progress_of(const VersionView& view) {
  return fmt::format("{} {} is being restarted, {} of {} workers replaced", view.service, view.version,
                     view.replacement->replaced, view.replacement->of);
}

CommandVerdict judge_start(const std::string& version, VersionState state) {
  if (state == VersionState::stopped || state == VersionState::failed || state == VersionState::draining) return {};
  return conflict(fmt::format("{0} is already running; to replace its workers: grayctl restart {0}", version));
}

CommandVerdict judge_restart(const std::string& version, VersionState state, const VersionView* view) {
  if (state == VersionState::stopped)
    return conflict(fmt::format("{0} is stopped; start it: grayctl start {0}", version));
  if (state == VersionState::failed)
    return conflict(fmt::format("{0} has failed; start it: grayctl start {0}", version));
  if (state == VersionState::draining)
    return conflict(fmt::format("{0} is being stopped; once it is, start it: grayctl start {0}", version));
  if (!is_replacing(view)) return {};
  return conflict(fmt::format("{}; wait for its end: grayctl status {} --wait", progress_of(*view), view->service));
}

/// Why ending the version needs a confirmation, and what to do instead; empty if it needs none.
struct Objection {
  std::string what, instead;
};

Objection objection_to_end(const VersionCommand& command, const ServiceSettings& service, const State& state,
                           const VersionView* view) {
  const auto shares = shares_of(service, state);
  if (command.version == shares.stable)
    return {fmt::format("{} is the stable version of {}, whose users would get errors", command.version, service.name),
            ""};
  if (const double weight = shares.of(command.version); weight > 0)
    return {fmt::format("{} takes {:g}% of the users of {}", command.version, weight, service.name),
            fmt::format("send them to {0} first: grayctl shift {1} {2} 0; or ", shares.stable, service.name,
                        command.version)};
  if (is_replacing(view))
    return {progress_of(*view), fmt::format("wait for its end: grayctl status {} --wait; or ", service.name)};
  return {};
}

CommandVerdict judge_end(const VersionCommand& command, const ServiceSettings& service, const State& state,
                         const VersionView* view, VersionState doing) {
  const auto version = fmt::format("{} {}", command.service, command.version);
  if (doing == VersionState::stopped)
    return conflict(fmt::format("{0} is stopped already; start it: grayctl start {0}", version));
  if (doing == VersionState::draining && command.action == Action::drain)
    return conflict(fmt::format("{0} is being stopped already; to end it at once: grayctl stop {0}", version));
  if (command.yes || doing == VersionState::draining) return {};
  auto [what, instead] = objection_to_end(command, service, state, view);
  if (what.empty()) return {};
  return {ExitCode::conflict,
          fmt::format("{0}; {1}to {2} it anyway: grayctl {2} {3} --yes", what, instead, name(command.action), version),
          what};
}

}  // namespace

Verb verb_of(Action action) {
  switch (action) {
    case Action::start: return Verb::start;
    case Action::stop: return Verb::stop;
    case Action::restart: return Verb::restart;
    case Action::drain: return Verb::drain;
  }
  return Verb::count;
}

std::string_view name(Action action) { return name_of(verb_of(action)); }

CommandVerdict judge_command(const VersionCommand& command, const Settings& settings, const State& state,
                             const std::vector<VersionView>& views) {
  const auto* service = settings.service(command.service);
  if (service == nullptr) return {ExitCode::usage, unknown_service(settings, command.service), {}};
  if (auto error = unknown_version(*service, command.version); !error.empty())
    return {ExitCode::usage, std::move(error), {}};
  const auto* view = view_of(views, command.service, command.version);
  const VersionState doing = view == nullptr ? VersionState::stopped : view->state;
  const auto version = fmt::format("{} {}", command.service, command.version);
  if (command.action == Action::start && is_removing(fact_of(state, command.service), command.version))
    return conflict(version + " is being removed; deploy it again when it is gone from grayctl status");
  switch (command.action) {
    case Action::start: return judge_start(version, doing);
    case Action::restart: return judge_restart(version, doing, view);
    case Action::stop:
    case Action::drain: return judge_end(command, *service, state, view, doing);
  }
  return {};
}

}  // namespace gray::control
