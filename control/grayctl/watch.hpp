#pragma once
// Waits for an operation of grayd: polls the status until a pure function decides that it is over. Meanwhile shows the
// progress: on a terminal one line that is rewritten, elsewhere a line for each change.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/terminal.hpp"
#include "control/grayctl/waiting.hpp"

namespace gray::control {

/// The user who sees the progress, and the time limit.
struct Watching {
  std::ostream& err;
  const Person& person;
  Duration timeout;
};

/// The last status (ok), or the error: the failure of the operation, timeout, no_daemon if grayd is gone, or
/// interrupted by Ctrl-C, which ends only the waiting. `text` is the last progress or result.
struct Watched {
  Answer answer;
  std::string text;
};
Watched watch(Client& client, const Awaited& awaited, const Watching& watching);

}  // namespace gray::control
