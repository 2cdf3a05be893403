#pragma once
// `grayctl top`: watches the live feed of grayd and shows its figures; on a terminal as a frame with keys, elsewhere as
// lines, with -o json as one object for each look.
#include <iosfwd>

#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// Ends after --count looks, when the reader of `out` is gone, at q, or by a signal; then the terminal is as it was. If
/// grayd does not answer at first, the answer has the error. Later it is asked again until it does; without a frame
/// `err` gets a line when that begins.
Answer run_top(const Command& command, bool as_json, std::ostream& out, std::ostream& err, const Terminal& terminal);

}  // namespace gray::control
