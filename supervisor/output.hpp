#pragma once
// What a worker writes to stdout and stderr, bounded in memory and in the log, but always read: a worker must never
// block because nobody listens. Pure: bytes and `now` in, log lines out.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/time.hpp"
#include "supervisor/line_buffer.hpp"

namespace gray::supervisor {

/// The last lines of one slot. Survives its processes: the next one's cause may be in the last one's words.
class OutputTail {
 public:
  static constexpr std::size_t kLines = 100;
  static constexpr std::size_t kLine = 4096;

  /// Control characters are replaced: what a worker writes must not steer a terminal.
  void push(std::string_view line);
  std::vector<std::string> last(std::size_t count) const;

 private:
  std::vector<std::string> lines_;  // a ring once it is full
  std::size_t next_ = 0;            // where the next line goes
};

/// How many lines may go into the log in a second; what is above is counted.
class LineRate {
 public:
  static constexpr std::uint64_t kPerSecond = 500;

  bool admit(TimePoint now);
  /// Dropped since the last call.
  std::uint64_t take_dropped() { return std::exchange(dropped_, 0); }

 private:
  std::uint64_t used_ = 0;
  std::uint64_t dropped_ = 0;
  TimePoint second_{};
};

/// One stream of one process, cut into lines.
class OutputStream {
 public:
  OutputStream(OutputTail& tail, LineRate& rate) : tail_(tail), rate_(rate) {}

  /// Calls log(line) for each line that the rate admits.
  template <class Log>
  void feed(std::string_view bytes, TimePoint now, Log&& log) {
    lines_.feed(bytes, [&](std::string_view line, bool) { deliver(line, now, log); });
  }
  /// The stream has ended: a last line needs no newline.
  template <class Log>
  void end(TimePoint now, Log&& log) {
    if (!lines_.empty()) lines_.flush([&](std::string_view line, bool) { deliver(line, now, log); });
  }

 private:
  template <class Log>
  void deliver(std::string_view line, TimePoint now, Log& log) {
    tail_.push(line);
    if (!rate_.admit(now)) return;
    if (const std::uint64_t dropped = rate_.take_dropped(); dropped > 0)
      log("(" + std::to_string(dropped) + " lines dropped: more than " + std::to_string(LineRate::kPerSecond) +
          " a second)");
    log(tail_.last(1).front());
  }

  OutputTail& tail_;
  LineRate& rate_;
  LineBuffer lines_{OutputTail::kLine};
};

}  // namespace gray::supervisor
