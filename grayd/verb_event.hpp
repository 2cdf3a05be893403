#pragma once
// A verb that changed something as an event. Pure.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/shared/event_record.hpp"
#include "control/daemon.hpp"

namespace gray::master {

/// Nothing for verbs that only look, for those that were refused, and for a reload, which says by itself what it
/// changed. Only verbs that change something are told who asks ("peer", see control/api/admin_api.hpp).
std::optional<EventRecord> verb_event(const std::string& verb, const nlohmann::json& args, const control::Reply& reply);

}  // namespace gray::master
