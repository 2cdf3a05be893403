#pragma once
// `grayctl memory`: which part of the router holds how much memory, once or, with --diff, at two moments.
#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

Outcome run_memory(Client& client, const Command& command, const Terminal& terminal);

}  // namespace gray::control
