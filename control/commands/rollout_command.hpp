#pragma once
// Whether a rollout may begin, and whether an operator's command to one is possible now. Pure.
#include <optional>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/daemon.hpp"
#include "control/rollout/rollout.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

struct RolloutOrder {
  std::string service, version;
  std::vector<double> steps;        // empty: as configured
  std::optional<Duration> hold;     // nothing: as configured
  std::optional<std::string> salt;  // of the bucket; nothing: as it is
};

/// The last rollout of the service; null: none.
const Rollout* rollout_in(const State& state, const std::string& service);

// `state`: as it will be when pending changes are saved. The reply is ok, or says what to do instead.
Reply judge_rollout_start(const RolloutOrder& order, const Settings& settings, const State& state);
/// Only what is in the way of any rollout of the version: a running one, or a different version with users.
Reply judge_rollout_room(const ServiceSettings& service, const std::string& version, const State& state);
/// For a service that has a rollout.
Reply judge_rollout_command(RolloutEvent event, const ServiceSettings& service, const State& state,
                            const std::vector<VersionView>& views);

/// "paused", "moved to its next step": what an operator's command does with a rollout.
const char* done_by(RolloutEvent event);

}  // namespace gray::control
