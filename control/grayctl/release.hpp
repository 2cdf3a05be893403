#pragma once
// deploy, promote, undo and remove in grayctl: sends the order, asks for a confirmation if grayd needs one, and waits.
#include <iosfwd>

#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

Outcome run_deploy(Client& client, const Command& command, const Person& person, std::ostream& err);
/// With --rollout: follows the rollout to its end. grayd continues it whatever happens to the caller.
Outcome run_deploy_with_rollout(Client& client, const Command& command, const Terminal& terminal, const Person& person,
                                std::ostream& err);
Outcome run_promote(Client& client, const Command& command, const Person& person, std::ostream& err);
/// `rollout undo` as `undo`.
Command as_undo(Command command);
Outcome run_undo(Client& client, const Command& command, const Person& person, std::ostream& err);
Outcome run_remove(Client& client, const Command& command, const Person& person, std::ostream& err);

}  // namespace gray::control
