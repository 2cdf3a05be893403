#pragma once
// Looks at everything that one thread holds, a bounded part in each turn of its loop, so that requests are not held up:
// for a report, and between reports for the high-water marks.
//
// Model: the connections are walked, not counted as they change, so a request pays nothing. A report also asks the
// kernel about each socket. The marks are raised by a look each kInterval while connections are open, without a system
// call for any of them; a look that takes long is repeated later, so that looks take at most a thousandth of the CPU
// time.
// What changes during a look may be seen twice or not at all. One thread.
#include <functional>
#include <vector>

#include "router/engine/engine.hpp"
#include "router/stats/memory_tally.hpp"

namespace gray::proxy {

class MemoryScan {
 public:
  static constexpr std::size_t kAtOnce = 256;  // connections in one turn
  static constexpr Duration kInterval{1'000};
  static constexpr int kShare = 1'000;

  /// Looks at `count` things from number `from` on; returns how many it has looked at, fewer at its end.
  using Part =
      std::function<std::size_t(std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally)>;
  struct Result {
    stats::MemoryTally tally;  // with the marks
    Micros longest_turn{0};    // CPU time
  };
  using Done = std::function<void(const Result& result)>;

  MemoryScan(engine::Engine& engine, std::vector<Part> parts);

  /// Calls `done` on the loop when everything was looked at.
  void report(Done done);
  /// A connection was opened: from now on there are marks to be raised.
  void wake() {
    if (!next_.armed() && !running_) sample_later(Micros{0});
  }
  stats::MemoryMarks& marks() { return marks_; }

 private:
  void begin();
  void turn();
  void end();
  void sample_later(Micros took);

  engine::Engine& engine_;
  std::vector<Part> parts_;
  engine::Timer next_;  // a look for the marks
  stats::MemoryMarks marks_;
  std::vector<Done> waiting_;  // for the next report
  // Of the look in progress.
  bool running_ = false;
  std::vector<Done> asked_;  // empty: it is for the marks only
  std::size_t part_ = 0, at_ = 0;
  Micros took_{0};
  Result result_;
};

}  // namespace gray::proxy
