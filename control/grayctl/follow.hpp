#pragma once
// `events` and `logs`: what there is, and with -f what comes, until something ends it. Following is asking again and
// again for what comes after the last number; each question waits in grayd until there is something, or a moment.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// The answer to `command` (events or logs) without -f; `text` becomes what people read.
Answer look_back(Client& client, const Command& command, const Terminal& terminal, std::string& text);

/// With -f: writes to `out`, as JSON one entry a line, until grayd ends or refuses, or nobody reads `out` any more; why
/// is in the answer, which is ok in the last case.
Answer follow(Client& client, const Command& command, bool as_json, std::ostream& out, const Terminal& terminal);

}  // namespace gray::control
