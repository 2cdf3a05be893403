#pragma once
// Whether a canary grows with its requests as stable did not: a leak of memory or descriptors. Pure.
//
// Model. Both versions grow when they get their first requests: heaps fill, caches and connections are made. So the
// growth of the canary is compared with that of stable after the same number of requests for each worker, not at the
// same time. A worker's growth counts from its first measurement. A canary may grow half as much again, and by a
// margin. If the processes of stable were older when they were first measured, their growth is not known: then the
// canary must also be larger than stable is now, by the same factor and margin.
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "config/base/time.hpp"

namespace gray::control {

/// The mean of the workers of one version.
struct Vitals {
  std::uint64_t processes = 0;  // identifies them: differs after a process was started; 0: none
  double requests = 0;          // completed since then, for each worker
  double resident = 0;          // bytes
  double files = 0;             // open descriptors
};

class GrowthAlarm {
 public:
  static constexpr double kFactor = 1.5;
  static constexpr double kResidentMargin = 32.0 * (1 << 20);  // bytes
  static constexpr double kFilesMargin = 200;
  static constexpr double kMinRequests = 100;  // for each worker
  static constexpr Duration kSustained{5'000};

  /// To be called about once a second; a version without a process has `processes` 0. Nothing, or the reason for the
  /// alarm as one line.
  std::optional<std::string> look(TimePoint now, const Vitals& canary, const Vitals& stable);

 private:
  static constexpr std::size_t kPoints = 128;  // four for each power of two of requests
  struct Growth {
    double resident = 0, files = 0;
  };
  struct Base {
    std::uint64_t processes = 0;
    Vitals first;
  };
  void record(const Vitals& stable);
  static std::size_t point_of(double requests);
  static Growth grown(Base& base, const Vitals& now);
  std::optional<Growth> of_stable(std::size_t point) const;

  Base canary_, stable_;
  std::array<std::optional<Growth>, kPoints> curve_;  // of stable, the largest of all its processes
  std::optional<TimePoint> above_since_;
};

}  // namespace gray::control
