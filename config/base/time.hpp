#pragma once
// The only clock of the project. Cores get `now` as an argument; only shells read the clock. It is monotonic, because a
// jump of the wall clock must never time out a healthy worker.
#include <chrono>

namespace gray {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::milliseconds;  // every duration of the configuration; resolution 1 ms
using Micros = std::chrono::microseconds;    // every measured duration

}  // namespace gray
