#pragma once
// The output of the demo: lines that stay, each with the time since the start, and below them one live line. On a
// terminal the live line is redrawn; elsewhere it is printed each few seconds.
#include <cstddef>
#include <string>

#include "config/base/time.hpp"

namespace gray::demo {

/// "1:05".
std::string clock_text(Duration since_start);

class Screen {
 public:
  static constexpr Duration kBetweenLines{3'000};

  /// On stdout.
  Screen();

  void say(const std::string& line);
  void live(const std::string& line);
  void erase_live();
  /// Columns that a live line may have.
  std::size_t width_of_live() const;
  /// False after a write that failed: the reader is gone.
  bool is_read() const { return is_read_; }

 private:
  void write(const std::string& text);
  std::string stamped(const std::string& line) const;

  TimePoint start_ = Clock::now(), last_line_{};
  bool redraws_, is_read_ = true;
};

}  // namespace gray::demo
