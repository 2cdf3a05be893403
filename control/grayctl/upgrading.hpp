#pragma once
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// Begins an upgrade, and unless told not to sees it to its end. grayd gives up by itself at the timeout, and then
/// nothing goes on.
Outcome run_upgrade(Client& client, const Command& command, const Person& person, std::ostream& err);

}  // namespace gray::control
