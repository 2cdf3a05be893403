#pragma once
// The supervisor's signals about a canary: its processes end, hang, or grow, while those of stable do not. Each is a
// reason to take its users away, with or without a rollout. Main thread; measures processes through functions.
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/totals.hpp"
#include "config/shared/version_view.hpp"
#include "control/judge/crash_alarm.hpp"
#include "control/judge/growth_alarm.hpp"
#include "control/judge/hang_alarm.hpp"
#include "control/judge/version_memory.hpp"

namespace gray::control {

class Alarms {
 public:
  static constexpr Duration kMeasure{1'000};  // between two measurements of memory and files

  struct Side {
    const VersionView* view = nullptr;
    segment::Totals totals;
    const VersionMemory* memory = nullptr;  // recorded before; null: nothing
  };
  /// Nothing, or the first reason for an alarm as one line. Both views must exist.
  std::optional<std::string> look(TimePoint now, const Side& canary, const Side& stable, const ProcessMeter& meter);

 private:
  CrashAlarm crash_;
  HangAlarm hang_;
  GrowthAlarm growth_;
  std::optional<TimePoint> measured_;
  VitalsMeter canary_, stable_;
};

}  // namespace gray::control
