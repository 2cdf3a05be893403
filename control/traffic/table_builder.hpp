#pragma once
// Makes the routing table from configuration, weights and living workers. Pure: equal inputs give equal tables.
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/service_state.hpp"
#include "control/traffic/rows.hpp"

namespace gray::control {

/// A table without number. It has every configured version; a version that is down has no workers in it. A version
/// without a row is left out (there are more versions than rows only while removed ones drain).
RoutingTable build_table(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                         const Rows& rows);

}  // namespace gray::control
