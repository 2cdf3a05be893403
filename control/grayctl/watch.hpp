#pragma once
// Waiting for what grayd does, by looking at its status until a pure judgement says that it is over. What is seen
// meanwhile is one line that moves on a terminal, and a line for each change elsewhere.
#include <iosfwd>

#include "control/grayctl/client.hpp"
#include "control/grayctl/terminal.hpp"
#include "control/grayctl/waiting.hpp"

namespace gray::control {

/// Who sees it, and how long he has timeout.
struct Watching {
  std::ostream& err;
  const Person& person;
  Duration timeout;
};

/// The last status (ok), or what went wrong: the judgement's failure, timeout, no_daemon if grayd went away,
/// interrupted by Ctrl-C, which ends the waiting only. `text` is what the judgement said at last.
struct Watched {
  Answer answer;
  std::string text;
};
Watched watch(Client& client, const Awaited& awaited, const Watching& watching);

}  // namespace gray::control
