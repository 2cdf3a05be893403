#pragma once
// The event of a verb that changed something. Pure.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/shared/event_record.hpp"
#include "control/daemon.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// Its kind is in the table of verbs. Nothing for verbs that change nothing, for refused ones, and for a reload, which
/// reports its changes itself. Only verbs that change something get the caller ("peer", see control/api/admin_api.hpp).
std::optional<EventRecord> verb_event(Verb verb, const nlohmann::json& args, const Reply& reply);

/// "requested by pid 12, uid 0", of the caller of a verb that changes something.
std::string requested_by(const nlohmann::json& args);
/// "pid 4711, uid 1000"; "page 127.0.0.1" for one from the page; "grayd" for a call from inside.
std::string caller_of(const nlohmann::json& args);

}  // namespace gray::control
