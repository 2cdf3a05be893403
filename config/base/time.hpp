#pragma once
// The only clock of the project. Cores get `now` as an argument; only shells read the clock. It is monotonic, because a
// jump of the wall clock must never time out a healthy worker.
#include <chrono>

namespace gray {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::milliseconds;  // every duration of the configuration; resolution 1 ms
using Micros = std::chrono::microseconds;    // every measured duration

/// The next of the common ticks of an interval, from `phase` on. All who wait so long share them, so that one wake-up
/// serves all. Between half of the interval and one and a half from now. 0: now.
inline TimePoint next_tick(TimePoint now, Duration interval, Clock::duration phase = Clock::duration{0}) {
  if (interval <= Duration{0}) return now;
  const Clock::duration whole = interval;
  const auto earliest = now.time_since_epoch() + whole / 2 - phase;
  const auto turns = (earliest + whole - Clock::duration{1}) / whole;
  return TimePoint{turns * whole + phase};
}

}  // namespace gray
