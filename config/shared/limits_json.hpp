#pragma once
// Limits as JSON, the form in which they travel to the routers. Durations are milliseconds, sizes bytes.
#include <nlohmann/json_fwd.hpp>

#include "config/settings/limits.hpp"

namespace gray {

nlohmann::json limits_to_json(const Limits& limits);
/// Throws JsonMismatch, which names the field.
Limits limits_from_json(const nlohmann::json& from);

}  // namespace gray
