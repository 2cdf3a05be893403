#pragma once
// The verbs that explain decisions and change nothing: why a request gets its version, and which users a version gets.
// Main thread; each answers at once.
#include <nlohmann/json.hpp>

#include "config/settings/settings.hpp"
#include "config/shared/routing_table.hpp"
#include "control/daemon.hpp"
#include "control/state/state_store.hpp"

namespace gray::control {

/// With "path" and what else describes a request: its decision on `table`. Without: where the access log is, which
/// grayctl reads itself, so that no search of a large file holds up grayd.
Reply why(const Settings& settings, const RoutingTable& table, const nlohmann::json& args);

/// The salts and shares of the versions of a service. The users are sent by nobody: grayctl computes their buckets.
Reply bucket(const Settings& settings, const State& state, std::uint64_t table, const nlohmann::json& args);

}  // namespace gray::control
