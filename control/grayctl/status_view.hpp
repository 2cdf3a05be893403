#pragma once
// The status of grayd as human-readable text: a line for each version, below it its workers and why it failed. Pure.
#include <nlohmann/json.hpp>
#include <string>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// `status` is the body of GET /v1/status. A field that is absent shows as "-". Ends with a newline.
std::string view_status(const nlohmann::json& status, const Terminal& terminal);

}  // namespace gray::control
