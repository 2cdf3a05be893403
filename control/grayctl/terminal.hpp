#pragma once
// The properties of the output, and text that is drawn over itself.
#include <cstddef>
#include <iosfwd>
#include <string_view>

namespace gray::control {

struct Terminal {
  std::size_t width = 80;  // columns, at least 40
  bool colour = false;
  std::size_t height = 24;  // lines
  bool redraws = false;     // lines may be rewritten
  int fd = -1;              // the output; -1: its properties never change
  bool utf8 = true;         // false: a terminal that reads a different encoding
};

/// The user at stderr and stdin, if there is one.
struct Person {
  std::size_t width = 80;           // columns of stderr, at least 40
  bool watches = false;             // stderr is a terminal: a line may be rewritten
  std::istream* answers = nullptr;  // not null: questions can be asked; the answers come from here
};

/// For the descriptor `fd`: width from the terminal, else COLUMNS, else 80; colours only on a terminal, and not if
/// NO_COLOR is set or TERM is "dumb". No line is rewritten elsewhere than on a terminal, and if TERM is "dumb".
Terminal terminal_of(int fd);
/// The same output with the size that it has now.
Terminal measured_again(const Terminal& terminal);

/// For the descriptors `in` and `err`; `answers` reads from `in`. Questions are asked only if both are terminals, and
/// no line is rewritten if TERM is "dumb".
Person person_at(int in, int err, std::istream& answers);

/// Lines of text that are drawn over themselves, for something that changes while it is shown on a terminal.
class RedrawnBlock {
 public:
  explicit RedrawnBlock(std::ostream& out) : out_(out) {}

  /// `view`: lines that fit the width, each with a line end. Lines that do not fit the height are left out, and the
  /// last one that is shown says so. If the size has changed, the whole screen is cleared, because the terminal may
  /// have wrapped the old lines.
  void show(std::string_view view, const Terminal& terminal);
  /// Removes it. Without this call it stays.
  void erase();

 private:
  std::ostream& out_;
  std::size_t lines_ = 0;  // on the screen, above the cursor
  Terminal drawn_on_;
};

}  // namespace gray::control
