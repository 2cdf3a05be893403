#pragma once
// `grayctl why`: for a request of the access log, for a curl command line or a described request, and the replay of a
// whole log.
//
// The log is read by grayctl, not by grayd: a search of gigabytes holds up nobody, and who may read the file decides
// who gets an answer.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// Warnings go to `err`.
Outcome run_why(Client& client, const Command& command, const Terminal& terminal, std::ostream& err);

}  // namespace gray::control
