#pragma once
// Completion of words at a Tab. The shells are given a few lines only; they ask a hidden verb of grayctl, which walks
// the tree of verbs and, for names, asks grayd. Where nothing can be offered, nothing is said.
#include <string>
#include <string_view>
#include <vector>

namespace gray::control {

inline constexpr std::string_view kCompleteVerb = "__complete";

/// The script for bash, zsh or fish; empty for another shell.
std::string completion_script(std::string_view shell);

/// What may stand for the last of `words`, those behind "grayctl", which is typed so far or empty.
std::vector<std::string> complete(const std::vector<std::string>& words);

}  // namespace gray::control
