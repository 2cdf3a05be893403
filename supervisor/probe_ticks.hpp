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
  const Clock::duration apart = Clock::duration{interval} / static_cast<Clock::rep>(ticks);
  return next_tick(now, interval, apart * static_cast<Clock::rep>(number % ticks));
}

}  // namespace gray::supervisor
