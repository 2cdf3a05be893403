#pragma once
// The answer to `grayctl why` for people: the decision in one line, then what led to it. Pure.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// `answer`: the body of grayd, or one that is made of a line of the access log.
std::string view_why(const nlohmann::json& answer, const Terminal& terminal);

/// The text as the terminal can show it: "→" and the like in ASCII, unless it reads UTF-8.
std::string shown_on(const Terminal& terminal, std::string_view text);

}  // namespace gray::control
