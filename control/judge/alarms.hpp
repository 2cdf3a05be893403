#pragma once
// The supervisor's signals about a canary: its processes end, hang, or grow, while those of stable do not. Each is a
// reason to take its users away, with or without a rollout. Main thread; measures processes through functions.
#include <functional>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/totals.hpp"
#include "config/shared/version_view.hpp"
#include "control/judge/crash_alarm.hpp"
#include "control/judge/growth_alarm.hpp"
#include "control/judge/hang_alarm.hpp"

namespace gray::control {

/// Of the process `pid`; 0 if it has ended.
struct ProcessMeter {
  std::function<std::uint64_t(pid_t)> resident_bytes, open_files;
};

class Alarms {
 public:
  static constexpr Duration kMeasure{1'000};          // between two measurements of memory and files
  static constexpr std::size_t kMeasuredWorkers = 8;  // of each version

  struct Side {
    const VersionView* view = nullptr;
    segment::Totals totals;
  };
  /// Nothing, or the first reason for an alarm as one line. Both views must exist.
  std::optional<std::string> look(TimePoint now, const Side& canary, const Side& stable, const ProcessMeter& meter);

 private:
  struct Baseline {
    std::uint64_t generations = 0;  // their sum: changes when a process was started
    std::uint64_t requests = 0;     // completed before that
  };
  static Vitals measured(const Side& side, Baseline& base, const ProcessMeter& meter);

  CrashAlarm crash_;
  HangAlarm hang_;
  GrowthAlarm growth_;
  std::optional<TimePoint> measured_;
  Baseline canary_, stable_;
};

}  // namespace gray::control
