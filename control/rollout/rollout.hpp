#pragma once
// A rollout: one version that gets more users step by step, with what is saved of it. The values here, the life in
// rollout_machine.hpp. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "control/judge/verdict.hpp"
#include "control/rollout/rollout_machine.hpp"

namespace gray::control {

struct Rollout {
  std::string version;
  RolloutState state = RolloutState::starting;
  std::uint32_t begun = 0;         // steps that were begun
  std::vector<double> steps;       // percent, rising; 1..RolloutSettings::kMaxSteps
  Duration hold{0};                // at each step
  Duration latency{0};             // an answer that takes longer is slow
  bool freeze = false;             // an aborted version goes on running without users
  WallTime since{};                // of the state
  std::string actor;               // who caused the state: "pid 4711, uid 1000", or "grayd"
  std::string reason;              // one line: why it is in this state, or what it waits for
  std::optional<Verdict> verdict;  // at its end

  /// Percent of users in the step that was begun last.
  double weight() const { return begun == 0 ? 0 : steps[begun - 1]; }
  bool is_last_step() const { return begun == steps.size(); }

  template <class Io>
  void archive(Io& io) {
    io("version", version);
    io("state", state);
    io("begun", begun);
    io("steps", steps);
    io("hold", hold);
    io("latency", latency);
    io("freeze", freeze);
    io("since", since);
    io("actor", actor);
    io("reason", reason);
    io("verdict", verdict);
    io.check("steps", error_in_steps(steps).empty(), "percentages that rise");
    io.check("begun", begun <= steps.size(), "a number of steps");
  }
  bool operator==(const Rollout&) const = default;

  /// "steps rise from above 0 to at most 100; 5 follows 25"; empty: they are valid.
  static std::string error_in_steps(const std::vector<double>& steps);
};

/// "a rollout of web v2 is holding (since 2026-11-23T17:04:45.123Z, by pid 4711, uid 1000)".
std::string text_of(const std::string& service, const Rollout& rollout);
/// "step 2 of 5, 25% of the users".
std::string step_text(const Rollout& rollout);

}  // namespace gray::control
