#pragma once
// A terminal taken over for frames: its second page, without an echo of the keys and without a cursor. The shell has
// its page, its cursor and its settings back when this object is destroyed, or while the process is stopped (Ctrl-Z).
//
// Signals that end or stop the process, and changes of the size, come as values from wait(): they are blocked while the
// object exists, so the terminal is never left as it is by the default action of a signal.
#include <termios.h>

#include <csignal>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::control {

class Screen {
 public:
  /// `in`: the keys, if it is a terminal; `out`: the terminal.
  Screen(int in, int out);
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  /// Draws `lines` over the last frame; `clear`: over everything. False: the terminal is gone.
  bool draw(const std::vector<std::string>& lines, bool clear);

  struct Input {
    std::string keys;
    bool resized = false;  // also after the process was stopped: everything must be drawn again
    int ended_by = 0;      // a signal that ends the process
    bool gone = false;     // the terminal is gone
  };
  /// Waits for any of these, or until `event` is readable, at most for `time`. Negative: no event.
  Input wait(Duration time, int event = -1);

 private:
  void enter();
  void leave();
  void take_signals(Input& input);

  int in_, out_;
  bool has_keys_ = false;
  termios before_{};
  sigset_t mask_before_{};
  UniqueFd signals_;
};

}  // namespace gray::control
