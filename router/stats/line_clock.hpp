#pragma once
// Wall-clock time as text, cheap for many lines of the same second: everything but the fraction is kept. A value; one
// for each thread that writes.
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::stats {

using WallTime = std::chrono::sys_time<Micros>;

inline constexpr std::size_t kTimeText = 27;  // "2026-11-23T15:44:05.123456Z"

class LineClock {
 public:
  /// Writes exactly kTimeText characters, RFC 3339 in UTC. Times before 1970 or after 9999 are written as the nearest
  /// of those.
  void write(WallTime time, char* out);

 private:
  void format_second(std::chrono::sys_seconds second);
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  char text_[kTimeText] = {};  // of second_, with the fraction 000000
};

}  // namespace gray::stats
