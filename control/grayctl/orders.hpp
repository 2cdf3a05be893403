#pragma once
// start, stop, restart and drain as grayctl carries them out: ordered, agreed to where grayd wants a "yes", waited for.
#include <iosfwd>

#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

Outcome run_order(Client& client, const Command& command, const Person& person, std::ostream& err);

}  // namespace gray::control
