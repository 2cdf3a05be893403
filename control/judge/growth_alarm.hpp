#pragma once
// Whether a canary grows with its requests as stable did not: a leak of memory or descriptors. Pure.
//
// Model. Both versions grow when they get their first requests: heaps fill, caches and connections are made. So the
// growth of the canary is compared with that of stable after the same number of requests for each worker, not at the
// same time. A worker's growth counts from its first measurement. A canary may grow half as much again, and by a
// margin. If the processes of stable were older when they were first measured, their growth is not known: then the
// canary must also be larger than stable is now, by the same factor and margin.
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "control/judge/growth_curve.hpp"
#include "control/judge/version_memory.hpp"

namespace gray::control {

/// What was recorded of both versions before, and meanwhile; null: nothing.
struct GrowthHistory {
  const VersionMemory* canary = nullptr;
  const VersionMemory* stable = nullptr;
};

class GrowthAlarm {
 public:
  static constexpr double kFactor = 1.5;
  static constexpr double kMemoryMargin = 32.0 * (1 << 20);  // bytes
  static constexpr double kFilesMargin = 200;
  static constexpr double kMinRequests = 100;  // for each worker
  static constexpr Duration kSustained{5'000};

  /// To be called about once a second; a version without a process has `processes` 0. Nothing, or the reason for the
  /// alarm as one line.
  std::optional<std::string> look(TimePoint now, const Vitals& canary, const Vitals& stable,
                                  const GrowthHistory& history = {});

 private:
  std::optional<Growth> of_stable(double requests, const GrowthHistory& history) const;

  Vitals first_;       // of the canary
  GrowthCurve curve_;  // of stable, measured more often than in its history
  std::optional<TimePoint> above_since_;
};

}  // namespace gray::control
