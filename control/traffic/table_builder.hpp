#pragma once
// From what is configured, shifted and alive to what the routers shall do. Pure: the same inputs make the same table.
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/state_store.hpp"
#include "control/traffic/rows.hpp"

namespace gray::control {

/// A table without number. Every configured version is in it, those that are down without workers; a version that has
/// no row is left out (there are more versions than rows only while removed ones drain).
RoutingTable build_table(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                         const Rows& rows);

}  // namespace gray::control
