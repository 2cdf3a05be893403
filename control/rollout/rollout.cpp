#include "control/rollout/rollout.hpp"

#include <fmt/format.h>

namespace gray::control {

std::string Rollout::error_in_steps(const std::vector<double>& steps) {
  if (steps.empty()) return "a rollout needs at least one step, such as 5,25,100";
  if (steps.size() > RolloutSettings::kMaxSteps)
    return fmt::format("a rollout has at most {} steps, not {}", RolloutSettings::kMaxSteps, steps.size());
  double before = 0;
  for (const double step : steps) {
    if (!(step > 0 && step <= 100)) return fmt::format("each step is above 0 and at most 100 percent, not {:g}", step);
    if (step <= before) return fmt::format("steps rise; {:g} follows {:g}", step, before);
    before = step;
  }
  return {};
}

std::string text_of(const std::string& service, const Rollout& rollout) {
  return fmt::format("a rollout of {} {} is {} (since {}, by {})", service, rollout.version, name_of(rollout.state),
                     rfc3339(rollout.since), rollout.actor);
}

std::string step_text(const Rollout& rollout) {
  return fmt::format("step {} of {}, {:g}% of the users", rollout.begun, rollout.steps.size(), rollout.weight());
}

}  // namespace gray::control
