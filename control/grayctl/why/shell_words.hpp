#pragma once
// Splits a command line into words as a POSIX shell does: quotes, backslashes, a backslash at the end of a line, and
// $'...' with its escapes, which browsers use in "Copy as cURL". Nothing is expanded. Pure.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gray::control {

/// An error: one line.
std::variant<std::vector<std::string>, std::string> shell_words(std::string_view text);

}  // namespace gray::control
