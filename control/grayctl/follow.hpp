#pragma once
// `events` and `logs`: the existing entries, and with -f also new ones until it is ended. Following means repeated
// calls for the entries after the last number; each call waits in grayd for a short time until there is one.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// The answer to `command` (events or logs) without -f; `text` gets the human-readable form.
Answer look_back(Client& client, const Command& command, const Terminal& terminal, std::string& text);

/// With -f: writes to `out`, as JSON one entry per line, until grayd ends or refuses, or `out` is closed by its reader.
/// The answer has the reason; it is ok in the last case.
Answer follow(Client& client, const Command& command, bool as_json, std::ostream& out, const Terminal& terminal);

}  // namespace gray::control
