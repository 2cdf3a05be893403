#pragma once
// start, stop, restart and drain in grayctl: sends the order, asks for a confirmation if grayd needs one, and waits.
#include <iosfwd>

#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// Calls the verb. If grayd needs a confirmation and the person gives it, calls it again with "yes".
Answer confirmed(Client& client, std::string_view verb, nlohmann::json args, const Person& person, std::ostream& err);

Outcome run_order(Client& client, const Command& command, const Person& person, std::ostream& err);

}  // namespace gray::control
