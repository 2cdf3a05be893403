#pragma once
// grayctl as a function: arguments in, text and exit code out. Data goes to `out`, messages to `err`; with -o json
// `out` gets exactly one JSON object, also on failure.
#include <iosfwd>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// Returns the exit code (contract 2.1). `terminal` is that of `out`.
int run_grayctl(int argc, const char* const* argv, std::ostream& out, std::ostream& err, const Terminal& terminal = {},
                const Person& person = {});

}  // namespace gray::control
