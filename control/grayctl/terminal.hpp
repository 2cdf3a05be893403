#pragma once
// What the place of the output can show.
#include <cstddef>

namespace gray::control {

struct Terminal {
  std::size_t width = 80;  // columns, at least 40
  bool colour = false;
};

/// Of the descriptor `fd`: width from the terminal, else COLUMNS, else 80; colours only on a terminal, and not if
/// NO_COLOR is set to anything or TERM is "dumb".
Terminal terminal_of(int fd);

}  // namespace gray::control
