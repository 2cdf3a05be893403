#pragma once
// The output of a worker on stdout and stderr: bounded in memory and in the log, but always read, because a worker must
// never block on a full pipe. Pure: bytes and `now` in, log lines out.
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/units.hpp"
#include "config/base/wall_time.hpp"
#include "config/shared/worker_output.hpp"
#include "supervisor/process/line_buffer.hpp"

namespace gray::supervisor {

/// The last lines of one slot. Outlives its processes, because the last output of one may explain the next failure.
class OutputTail {
 public:
  static constexpr std::size_t kLines = 1'000;        // kept, unless limit() says otherwise
  static constexpr std::size_t kLine = 4'096;         // bytes of a line
  static constexpr std::size_t kBytes = 512 * 1'024;  // of all kept lines

  /// `counter`: the last sequence given; outlives the tail.
  explicit OutputTail(std::uint64_t& counter) : counter_(&counter) {}

  /// Keeps at most `lines` from now on; at least 1.
  void limit(std::size_t lines);
  /// Keeps a line; `line` has everything but the numbers. Control characters are replaced: the output of a worker must
  /// not control a terminal.
  const OutputLine& push(std::string_view text, const OutputLine& line);
  std::vector<std::string> last(std::size_t count) const;
  /// Lines after `sequence`, oldest first; valid until the next push().
  std::vector<const OutputLine*> after(std::uint64_t sequence) const;
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("pushed", pushed_);
    std::vector<OutputLine> lines(lines_.begin(), lines_.end());
    io("lines", lines);
    lines_.assign(lines.begin(), lines.end());
    io("most", most_);
    io.check("lines", lines_.size() <= most_);
    bytes_ = 0;
    for (const OutputLine& line : lines_) bytes_ += line.text.size();
  }

 private:
  /// The oldest line leaves; its memory is given to the next one.
  void drop_oldest();

  std::uint64_t* counter_;
  std::uint64_t pushed_ = 0;
  std::size_t most_ = kLines;
  std::size_t bytes_ = 0;  // of the kept lines
  std::list<OutputLine> lines_;
  std::list<OutputLine> spare_;  // at most one: its memory is used for the next line
};

/// Limits the bytes of a worker's lines in the log: a burst of kBurst, and kPerSecond in the long run. Lines above the
/// limit are counted.
class LineRate {
 public:
  static constexpr std::uint64_t kBurst = 1'024 * 1'024;
  static constexpr std::uint64_t kPerSecond = 64 * 1'024;

  bool admit(std::size_t bytes, TimePoint now);
  /// Dropped since the last call.
  std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("room", room_);
    io("dropped", dropped_);
    io("filled", filled_);
  }

 private:
  std::uint64_t room_ = kBurst;  // bytes that may be logged now
  std::uint64_t dropped_ = 0;
  TimePoint filled_{};  // when room_ was last raised
};

/// One stream of one process, cut into lines.
class OutputStream {
 public:
  OutputStream(OutputTail& tail, LineRate& rate, bool is_error) : tail_(tail), rate_(rate), is_error_(is_error) {}

  /// Calls log(line) for each line that the rate admits.
  template <class Log>
  void feed(std::string_view bytes, TimePoint now, WallTime wall, Log&& log) {
    lines_.feed(bytes, [&](std::string_view line, bool cut) { deliver(line, cut, now, wall, log); });
  }
  /// The stream has ended: a last line needs no newline.
  template <class Log>
  void end(TimePoint now, WallTime wall, Log&& log) {
    if (!lines_.empty()) lines_.flush([&](std::string_view line, bool cut) { deliver(line, cut, now, wall, log); });
  }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("lines", lines_);
  }

 private:
  template <class Log>
  void deliver(std::string_view text, bool cut, TimePoint now, WallTime wall, Log& log) {
    const OutputLine& line = tail_.push(text, {.time = wall, .is_error = is_error_, .cut = cut, .text = {}});
    if (!rate_.admit(line.text.size() + 1, now)) return;
    if (const std::uint64_t dropped = rate_.take_dropped(); dropped > 0)
      log("(" + std::to_string(dropped) + " lines dropped: more than " + format_size(LineRate::kBurst) +
          " at once, or " + format_size(LineRate::kPerSecond) + " a second)");
    log(line.text);
  }

  OutputTail& tail_;
  LineRate& rate_;
  bool is_error_;
  LineBuffer lines_{OutputTail::kLine};
};

}  // namespace gray::supervisor
