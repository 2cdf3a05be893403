#pragma once
// The properties of the output.
#include <cstddef>
#include <iosfwd>

namespace gray::control {

struct Terminal {
  std::size_t width = 80;  // columns, at least 40
  bool colour = false;
};

/// The user at stderr and stdin, if there is one.
struct Person {
  std::size_t width = 80;           // columns of stderr, at least 40
  bool watches = false;             // stderr is a terminal: a line may be rewritten
  std::istream* answers = nullptr;  // not null: questions can be asked; the answers come from here
};

/// For the descriptor `fd`: width from the terminal, else COLUMNS, else 80; colours only on a terminal, and not if
/// NO_COLOR is set or TERM is "dumb".
Terminal terminal_of(int fd);

/// For the descriptors `in` and `err`; `answers` reads from `in`. Questions are asked only if both are terminals, and
/// no line is rewritten if TERM is "dumb".
Person person_at(int in, int err, std::istream& answers);

}  // namespace gray::control
