#pragma once
// The answer to the verb `memory` as tables that fit the terminal. Pure. Paths and clients are untrusted: tables
// show no control character.
#include <nlohmann/json.hpp>
#include <string>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

std::string view_memory(const nlohmann::json& answer, const Terminal& terminal);

}  // namespace gray::control
