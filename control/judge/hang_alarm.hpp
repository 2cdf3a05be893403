#pragma once
// Whether a canary answers nothing any more while stable does: a process that is stopped, in a dead lock or in an
// endless loop. Pure.
//
// Requests that take long at both versions, such as long polls, are not a hang: stable must have completed half of the
// requests that it got meanwhile.
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/totals.hpp"

namespace gray::control {

class HangAlarm {
 public:
  static constexpr Duration kSilence{3'000};
  static constexpr std::uint64_t kUnanswered = 5;  // requests that came since the last answer

  /// Nothing, or the reason for the alarm as one line.
  std::optional<std::string> look(TimePoint now, const segment::Totals& canary, const segment::Totals& stable);

 private:
  struct Counts {
    std::uint64_t completed = 0, in_flight = 0;
  };
  static Counts counts_of(const segment::Totals& totals) { return {totals.requests, totals.in_flight}; }

  std::optional<TimePoint> since_;  // of the last answer
  Counts canary_, stable_;          // then
};

}  // namespace gray::control
