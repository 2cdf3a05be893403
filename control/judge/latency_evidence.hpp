#pragma once
// Whether the canary is slower than stable, by the ranks of their latencies. Pure.
//
// Model. Each sample of a step gets a score from 0 (fastest) to 1 (slowest): its rank among the samples of both
// versions, those of the steps before included. If both versions are equal, the canary's samples are a random choice of
// n out of the samples of the step. The factor is exp(l * sum of the canary's scores) divided by its exact expected
// value over all choices, which is an elementary symmetric polynomial of exp(l * score). Ranks need no model of the
// latencies, and one very slow answer counts as little as a slow one.
//
// Samples are taken at most once for each worker and 100 ms (router/proxy/recorder.hpp): a pause of a worker makes all
// its answers slow at once, and they would not be independent.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"
#include "control/judge/evidence.hpp"

namespace gray::control {

class LatencyEvidence {
 public:
  using Buckets = std::span<const std::uint32_t, segment::kHistogramBuckets>;  // samples by bucket of the histogram

  static constexpr std::array<double, 3> kTilts{0.5, 1.2, 3};
  static constexpr std::size_t kMaxSamples = 2'048;  // of one step; a step with more is left out
  static constexpr double kMemory = 2'000;           // samples of earlier steps that the ranks are based on

  void begin(TimePoint now);
  /// The samples of one step.
  void add(TimePoint now, Buckets canary, Buckets stable);
  bool alarm(double risk) const { return evidence_.alarm(risk); }

 private:
  struct Group {
    double score;
    std::uint32_t canary, all;
  };
  void rank(Buckets canary, Buckets stable);
  double factor(double tilt, std::size_t canary, std::size_t all);

  Evidence evidence_{kTilts.size()};
  std::array<double, segment::kHistogramBuckets> seen_{};  // samples of earlier steps, fading
  double total_ = 0;                                       // of seen_
  std::vector<Group> groups_;                              // of the step, by bucket; kept for their memory
  std::vector<double> means_;                              // likewise
};

}  // namespace gray::control
