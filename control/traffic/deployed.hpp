#pragma once
// The settings in force: those of the file, and the versions that were deployed. The state has the complete settings of
// a deployed version, so neither a change of the release nor one of the file changes it. Pure.
//
// Invariant of settings in force: VersionSettings::deployed marks exactly the versions that the state has; a name that
// the file has, too, is the file's.
#include <string>
#include <string_view>

#include "config/settings/settings.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

/// `settings`, of the file or in force, with the deployed versions of `state` and no others.
Settings with_deployed(Settings settings, const State& state);

bool is_deployed(const ServiceSettings& service, std::string_view version);

/// The deployed versions that the file has, too, for people: "web 43, web 44"; empty: none.
std::string deployed_twice(const Settings& file, const State& state);

/// The line about a service of `settings` (in force) whose stable version does not exist; empty: there is none.
std::string missing_stable(const Settings& settings, const State& state);

/// Settings in force as a start with `state` will have them: `stable` of each service is the version that will be.
Settings at_start(Settings file, const State& state);

/// Why one more version with so many workers is too many; empty: there is room.
std::string no_room(const Settings& settings, std::size_t rows_in_use, std::uint32_t instances);

}  // namespace gray::control
