#include "control/judge/hang_alarm.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gray::control {

std::optional<std::string> HangAlarm::look(TimePoint now, const segment::Totals& canary,
                                           const segment::Totals& stable) {
  const Counts of_canary = counts_of(canary), of_stable = counts_of(stable);
  if (!since_ || of_canary.completed != canary_.completed || of_canary.in_flight < canary_.in_flight) {
    since_ = now;
    canary_ = of_canary;
    stable_ = of_stable;
    return std::nullopt;
  }
  if (now - *since_ < kSilence || of_canary.in_flight - canary_.in_flight < kUnanswered) return std::nullopt;
  const std::uint64_t answered = of_stable.completed - std::min(stable_.completed, of_stable.completed);
  const std::uint64_t more = of_stable.in_flight - std::min(stable_.in_flight, of_stable.in_flight);
  if (answered < kUnanswered || answered < more) return std::nullopt;
  return fmt::format("no answer for {:.1f} s, {} requests wait; stable answered {} requests meanwhile",
                     std::chrono::duration<double>(now - *since_).count(), of_canary.in_flight, answered);
}

}  // namespace gray::control
