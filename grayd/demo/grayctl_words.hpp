#pragma once
// How a person calls the grayctl that belongs to this grayd: words that work when they are copied to another terminal.
#include <string>

namespace gray::demo {

/// `program`: this grayd, by its path. `socket`: to be named; empty: grayctl finds it. "grayctl" if that is the one
/// beside it, or if there is none beside it; else its whole path.
std::string grayctl_words(const std::string& program, const std::string& socket);

}  // namespace gray::demo
