#pragma once
// Completion of words at a Tab. The shell scripts are a few lines that call a hidden verb of grayctl. It walks the tree
// of verbs and asks grayd for names. If there is nothing to offer, it prints nothing.
#include <string>
#include <string_view>
#include <vector>

namespace gray::control {

inline constexpr std::string_view kCompleteVerb = "__complete";

/// The script for bash, zsh or fish; empty for any other shell.
std::string completion_script(std::string_view shell);

/// The candidates for the last of `words` (the words after "grayctl"), which is incomplete or empty.
std::vector<std::string> complete(const std::vector<std::string>& words);

}  // namespace gray::control
