#include "control/report/release_metrics.hpp"

#include <fmt/core.h>

#include "control/report/exposition.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

template <typename Visit>
void for_each_version(const ReportSource& source, Visit visit) {
  for (const auto& service : source.settings.services) {
    for (const auto& version : service.versions) visit(service, version.name);
  }
}

/// One series for each state up to `last`.
template <typename State>
void states(std::string& out, std::string_view name, const std::string& labels, std::string_view label, State last,
            State current) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i) {
    const auto state = static_cast<State>(i);
    out += fmt::format("{}{{{},{}=\"{}\"}} {}\n", name, labels, label, name_of(state), state == current ? 1 : 0);
  }
}

void stable(std::string& out, const ReportSource& source) {
  announce(out, "grayd_version_stable", "gauge", "Whether a version is the stable one of its service.");
  for_each_version(source, [&](const ServiceSettings& service, const std::string& version) {
    const bool is_stable = shares_of(service, source.state).stable == version;
    out += fmt::format("grayd_version_stable{{{}}} {}\n", version_labels(service.name, version), is_stable ? 1 : 0);
  });
}

void verdicts(std::string& out, const ReportSource& source) {
  announce(out, "grayd_verdict", "gauge", "1 for what the judge says of a version that has a share of the users.");
  for_each_version(source, [&](const ServiceSettings& service, const std::string& version) {
    if (const auto verdict = source.verdict_of(service.name, version))
      states(out, "grayd_verdict", version_labels(service.name, version), "result", last_value(VerdictResult{}),
             verdict->result);
  });
}

void rollouts(std::string& out, const ReportSource& source) {
  announce(out, "grayd_rollout_state", "gauge", "1 for the state of the last rollout of a service.");
  std::string steps;
  for (const auto& service : source.settings.services) {
    const auto state = source.state.find(service.name);
    if (state == source.state.end() || !state->second.rollout) continue;
    const Rollout& rollout = *state->second.rollout;
    const std::string labels = version_labels(service.name, rollout.version);
    states(out, "grayd_rollout_state", labels, "state", last_value(RolloutState{}), rollout.state);
    steps += fmt::format("grayd_rollout_step{{{}}} {}\n", labels, rollout.begun);
  }
  announce(out, "grayd_rollout_step", "gauge", "The step of the last rollout that was begun last; 0: none yet.");
  out += steps;
}

}  // namespace

void release_metrics(std::string& out, const ReportSource& source) {
  stable(out, source);
  verdicts(out, source);
  rollouts(out, source);
}

}  // namespace gray::control
