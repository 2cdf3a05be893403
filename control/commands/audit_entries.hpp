#pragma once
// The entries of the history for what does not change the shares of the users by itself: those changes are recorded by
// StateChanges. Pure.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/shared/event_record.hpp"
#include "control/daemon.hpp"
#include "control/history/audit_entry.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// deploy, remove, start, stop, restart, drain and upgrade if they were carried out, reload in any case; nothing for
/// other verbs.
std::optional<AuditEntry> audit_of(Verb verb, const nlohmann::json& args, const Reply& reply);

/// "reload" or "reload-refused".
AuditEntry audit_of_reload(const std::string& actor, const Reply& reply);

/// Of the start, the stop and the upgrades of grayd; nothing for other events.
std::optional<AuditEntry> audit_of(const EventRecord& event);

}  // namespace gray::control
