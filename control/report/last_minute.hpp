#pragma once
// What a version did in the last minute, from its rows in the shared segment. Samples of the counters are taken about
// every 5 s (kInterval); the figures are the difference between now and the oldest sample of the last minute. One for
// each version. Pure but for reading the segment.
//
// Invariants
//  - At most 13 samples: the current one and 12 steps between samples. So the figures cover 57 to 63 s, or the time
//    since grayd has seen the version, if that is shorter.
//  - A row that was cleared, or a different row, begins anew: all its counts are then from after the last sample.
//  - Histograms are read only if there is a new request: reading a hole of the segment allocates memory. Only buckets
//    that are not empty are kept, so a version that never had a request keeps none, and an idle one a single compact
//    copy: it is compared with the next one that is read.
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"

namespace gray::control {

struct MinuteFigures {
  double requests_per_second = 0;
  double error_ratio = 0;                     // 0..1
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;  // 0 without a request
  bool operator==(const MinuteFigures&) const = default;
};

class LastMinute {
 public:
  static constexpr Duration kInterval{5'000};
  static constexpr Duration kWindow{60'000};

  /// The counts at `now` are from before: they are never in the figures.
  LastMinute(TimePoint now, const segment::Layout& layout, std::uint32_t row);
  /// Of a version whose row was taken after `since`: all its counts are new.
  LastMinute(TimePoint since, std::uint32_t row) : row_(row), sampled_(since) {}

  /// `row`: of the version now.
  void sample(TimePoint now, const segment::Layout& layout, std::uint32_t row);
  MinuteFigures figures(TimePoint now, const segment::Layout& layout, std::uint32_t row) const;

 private:
  struct Bucket {
    std::uint32_t number;
    std::uint64_t count;
  };
  using Durations = std::vector<Bucket>;  // in the order of their numbers, without empty ones
  struct Counts {
    std::uint64_t requests = 0, errors = 0;
    Durations durations;
  };
  struct Step {
    TimePoint from;
    Counts counts;
  };

  static Durations durations_of(const segment::Layout& layout, std::uint32_t row);
  /// Nothing if the counts are not those of the last sample, continued.
  static std::optional<Counts> difference(const Counts& before, const Counts& after);
  Counts read(const segment::Layout& layout, std::uint32_t row) const;
  /// Whether a step that began at `from` counts at `now`.
  static bool is_recent(TimePoint from, TimePoint now) { return now - from <= kWindow + kInterval / 2; }

  std::uint32_t row_;
  TimePoint sampled_;        // the last time
  Counts last_;              // at that time, since the row was cleared
  std::vector<Step> steps_;  // before that time, oldest first
};

}  // namespace gray::control
