#pragma once
// When a worker is probed. Probes of all workers come at common ticks: one turn of the loop, and one message to the
// router, serve all that are due. The workers of a version are spread over the ticks of its interval, so that their
// probes do not come all at once. Pure.
#include <algorithm>
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::supervisor {

inline constexpr Duration kProbeTick{100};  // ticks are not closer, unless the interval is

/// The next probe of a worker, whose number chooses its ticks: they are `interval` apart. Not sooner than after half of
/// the interval.
inline TimePoint next_probe(TimePoint now, Duration interval, std::uint64_t number) {
  if (interval <= Duration{0}) return now;
  const auto ticks = static_cast<std::uint64_t>(std::max<Duration::rep>(interval / kProbeTick, 1));
  const Clock::duration whole = interval;
  const auto phase = whole / static_cast<Clock::rep>(ticks) * static_cast<Clock::rep>(number % ticks);
  const auto earliest = now.time_since_epoch() + whole / 2 - phase;
  const auto turns = (earliest + whole - Clock::duration{1}) / whole;
  return TimePoint{turns * whole + phase};
}

}  // namespace gray::supervisor
