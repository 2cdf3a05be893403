#pragma once
// The stdout and stderr of a worker, as they are kept for display.
#include <cstdint>
#include <string>
#include <vector>

#include "config/base/wall_time.hpp"

namespace gray {

/// One line as it was kept.
struct OutputLine {
  std::uint64_t sequence = 0;  // counts the lines of all workers of a grayd, in the order of reading
  std::uint64_t number = 0;    // 1, 2, ... per worker: a gap means that lines are missing
  WallTime time{};
  bool is_error = false;  // from stderr
  bool cut = false;       // it was too long and was cut
  std::string text;

  template <class Io>
  void archive(Io& io) {
    io("sequence", sequence);
    io("number", number);
    io("time", time);
    io("error", is_error);
    io("cut", cut);
    io("text", text);
  }
};

/// The output of one worker. The output of a worker that has ended is kept for a while.
struct WorkerOutput {
  std::string service, version, worker;
  std::vector<const OutputLine*> lines;  // oldest first; valid until the next turn of the loop
};

}  // namespace gray
