#pragma once
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// Starts an upgrade and waits for its end, unless asked not to. grayd itself ends the upgrade at the timeout.
Outcome run_upgrade(Client& client, const Command& command, const Person& person, std::ostream& err);
/// Reloads the configuration. If a new router is needed, waits until it serves, unless asked not to. With --wait it
/// also waits for the rolling restarts that the reload begins.
Outcome run_reload(Client& client, const Command& command, const Person& person, std::ostream& err);

}  // namespace gray::control
