#pragma once
// What a worker wrote to stdout and stderr, as whoever keeps it tells those who show it.
#include <cstdint>
#include <string>
#include <vector>

#include "config/base/wall_time.hpp"

namespace gray {

/// One line as it was kept.
struct OutputLine {
  std::uint64_t sequence = 0;  // over all workers of a grayd, in the order of reading
  std::uint64_t number = 0;    // 1, 2, ... of its worker: a gap tells that lines are missing
  WallTime time{};
  bool is_error = false;  // from stderr
  bool cut = false;       // it was longer than is kept of a line
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

/// Of one worker; of one that is gone, too, as long as it is kept.
struct WorkerOutput {
  std::string service, version, worker;
  std::vector<const OutputLine*> lines;  // oldest first; valid until the loop goes on
};

}  // namespace gray
