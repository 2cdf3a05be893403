#pragma once
// What the place of the output can show.
#include <cstddef>
#include <iosfwd>

namespace gray::control {

struct Terminal {
  std::size_t width = 80;  // columns, at least 40
  bool colour = false;
};

/// The person at stderr and stdin, if there is one.
struct Person {
  std::size_t width = 80;           // columns of stderr, at least 40
  bool watches = false;             // stderr is a terminal: a line of it may be rewritten
  std::istream* answers = nullptr;  // not null: somebody can be asked, and answers here
};

/// Of the descriptor `fd`: width from the terminal, else COLUMNS, else 80; colours only on a terminal, and not if
/// NO_COLOR is set to anything or TERM is "dumb".
Terminal terminal_of(int fd);

/// Of the descriptors `in` and `err`; `answers` reads from `in`. Nobody is asked unless both are terminals, and no line
/// is rewritten where TERM is "dumb".
Person person_at(int in, int err, std::istream& answers);

}  // namespace gray::control
