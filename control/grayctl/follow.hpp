#pragma once
// What is shown until it is ended. `events` and `logs`: the existing entries, and with -f also new ones. Following
// means repeated calls for the entries after the last number; each call waits in grayd for a short time until there is
// one.
// `status -w`: the status again and again; on a terminal it is redrawn in place, elsewhere there is a line for each
// version that has changed.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// The answer to `command` (events or logs) without -f; `text` gets the human-readable form.
Answer look_back(Client& client, const Command& command, const Terminal& terminal, std::string& text);

/// With -f: writes to `out`, as JSON one entry per line, until grayd ends or refuses, or `out` is closed by its reader.
/// The answer has the reason; it is ok in the last case. For the verb status: with -w.
Answer follow(Client& client, const Command& command, bool as_json, std::ostream& out, const Terminal& terminal);

}  // namespace gray::control
