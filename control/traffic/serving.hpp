#pragma once
// The state of a whole service, from the views of the supervisor. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/judge/verdict.hpp"
#include "control/state/service_state.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {

const VersionView* view_of(const std::vector<VersionView>& views, std::string_view service, std::string_view version);

/// Whether a worker of the version may take requests now.
bool is_up(const VersionView* view);

/// Whether the stable version of every service is up, has failed its first start, or was stopped: then clients are
/// accepted. Earlier clients would get a 503 that a short wait avoids; after a failure they get the 503 instead of a
/// refused connection.
bool may_listen(const Settings& settings, const State& state, const std::vector<VersionView>& views);

/// The time limit of requests in flight when a router or grayd ends: the longest drain_timeout of all versions.
Duration longest_drain(const Settings& settings);

/// Why a shift that raises the share of a version is probably a mistake: the version cannot serve, or the share looks
/// like a fraction. Empty: no reason.
std::string objection_to_shift(const ShiftOrder& order, const std::vector<VersionView>& views);

/// One line with the reason why the stable version of the service cannot serve, or why a version with a weight has
/// failed, or is worse than stable by its `verdict`; empty: none of them.
std::string health_complaint(const ServiceSettings& service, const State& state, const std::vector<VersionView>& views,
                             const std::optional<Verdict>& verdict = {});

/// What clients can expect, for the log and the service manager.
struct ServiceReadiness {
  bool any = false;      // some service has a stable version that is up
  std::string problems;  // the complaints of health_complaint(), joined; empty: none
};
ServiceReadiness readiness(const Settings& settings, const State& state, const std::vector<VersionView>& views);

}  // namespace gray::control
