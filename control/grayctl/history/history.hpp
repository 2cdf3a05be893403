#pragma once
// `grayctl history`: the changes of grayd, from the running one, or with --state-dir from the file of one that does not
// run. With -f new ones are asked for each kLook.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

Outcome run_history(Client& client, const Command& command, const Terminal& terminal);

/// Writes to `out`, as JSON one entry per line, until grayd ends or refuses, or `out` is closed by its reader. The
/// answer has the reason; it is ok in the last case.
Answer follow_history(Client& client, const Command& command, bool as_json, std::ostream& out,
                      const Terminal& terminal);

}  // namespace gray::control
