#pragma once
// The status of grayd as human-readable text: a line for each version, below it its workers and why it failed. Pure.
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// `status` is the body of GET /v1/status. A field that is absent shows as "-". Ends with a newline.
std::string view_status(const nlohmann::json& status, const Terminal& terminal);

/// "web v2" -> "20%, serving, verdict ok": what is worth a line of its own when it changes.
std::map<std::string, std::string> states_of_versions(const nlohmann::json& status);

/// Leaves only the service `name` in the status; false, with the reason in `error`, if there is no such service.
bool keep_only(nlohmann::json& status, const std::string& name, std::string& error);

}  // namespace gray::control
