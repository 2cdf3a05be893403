#pragma once
// A verb that changed something as an event. Pure.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/shared/event_record.hpp"
#include "control/daemon.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// As the table of verbs says, of what kind: nothing for verbs that only look, and for a reload, which says by itself
/// what it changed. Nothing for those that were refused either. Only verbs that change something are told who asks
/// ("peer", see control/api/admin_api.hpp).
std::optional<EventRecord> verb_event(Verb verb, const nlohmann::json& args, const Reply& reply);

}  // namespace gray::control
