#pragma once
// The rules and the allowlist of one service as the policy uses them, for a single decision outside of a router.
#include "config/settings/allowlist.hpp"
#include "config/shared/routing_table.hpp"
#include "router/targeting/targets.hpp"

namespace gray::control {

/// The list is mapped as long as the result lives; a look-up reads a few numbers of it. `list` null, or memory that
/// cannot be mapped: no allowlist.
targeting::Targets targets_of(const ServiceRoute& route, const Allowlist* list);

}  // namespace gray::control
