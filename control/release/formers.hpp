#pragma once
// Versions that were stable, and the change that makes another version stable. Pure.
//
// A former stable runs for `warm`, so that undo is immediate, and is then stopped by grayd. It is kept for undo until
// there are more than `keep` of them.
#include <optional>
#include <string>
#include <string_view>

#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

/// keep and warm of the service, or their defaults if it has no release.
ReleaseSettings retention_of(const ServiceSettings& service);

const ServiceState& fact_of(const State& state, const std::string& service);

/// Nothing if the version is not a former stable.
const Former* former_of(const ServiceState& fact, std::string_view version);

/// When grayd stops a former stable; nothing if that has happened.
std::optional<WallTime> warm_until(const ServiceSettings& service, const Former& former);

/// Whether the version is deployed and being removed.
bool is_removing(const ServiceState& fact, std::string_view version);

/// The rollout that decides the weights of the service; null: none runs.
const Rollout* running_rollout(const ServiceState& fact);
/// An undo ends it: the rollout, if one runs, is aborted.
void abort_rollout(ServiceState& fact, const std::string& actor, WallTime now);

/// The version that undo goes back to: the newest former stable that exists; empty: none.
std::string undo_target(const ServiceSettings& service, const State& state);

/// The state of the service with `version` as the stable one; no other version has users then. The stable version so
/// far becomes the newest former one.
ServiceState make_stable(const ServiceSettings& service, const State& state, const std::string& version, WallTime now);
/// Likewise, because the stable version so far is to be left: it is withdrawn, and so are those with a weight or a
/// running rollout.
ServiceState gone_back(const ServiceSettings& service, const State& state, const std::string& version, WallTime now);

}  // namespace gray::control
