#include "control/judge/latency_evidence.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gray::control {

void LatencyEvidence::begin(TimePoint now) {
  evidence_.begin(now);
  seen_.fill(0);
  total_ = 0;
}

void LatencyEvidence::add(TimePoint now, Buckets canary, Buckets stable) {
  const auto of_canary = std::accumulate(canary.begin(), canary.end(), std::size_t{0});
  const auto all = of_canary + std::accumulate(stable.begin(), stable.end(), std::size_t{0});
  if (all == 0 || all > kMaxSamples) return;
  rank(canary, stable);
  if (of_canary > 0 && of_canary < all) {
    std::array<double, kTilts.size()> factors{};
    for (std::size_t i = 0; i < kTilts.size(); ++i) factors[i] = factor(kTilts[i], of_canary, all);
    evidence_.multiply(now, factors);
  }
  const double fade = total_ > kMemory ? kMemory / total_ : 1;
  total_ = 0;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    seen_[i] = seen_[i] * fade + canary[i] + stable[i];
    total_ += seen_[i];
  }
}

/// The score of a bucket is the middle of its ranks, so that equal values get equal scores.
void LatencyEvidence::rank(Buckets canary, Buckets stable) {
  groups_.clear();
  double below = 0;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const std::uint32_t samples = canary[i] + stable[i];
    const double here = seen_[i] + samples;
    if (samples > 0) groups_.push_back({below + here / 2, canary[i], samples});
    below += here;
  }
  for (auto& group : groups_) group.score /= below;
}

/// means_[j] is the mean of the products of j out of the samples so far: their symmetric polynomial divided by the
/// number of choices. The weights are scaled to the mean 1, so that no mean is above 1 (Maclaurin's inequality).
double LatencyEvidence::factor(double tilt, std::size_t canary, std::size_t all) {
  double mean = 0;
  for (const auto& group : groups_) mean += std::exp(tilt * group.score) * group.all;
  const double scale = std::log(mean / static_cast<double>(all));
  means_.assign(canary + 1, 0);
  means_[0] = 1;
  double chosen = 0;
  std::size_t seen = 0;
  for (const auto& group : groups_) {
    const double exponent = tilt * group.score - scale;
    const double weight = std::exp(exponent);
    chosen += exponent * group.canary;
    for (std::uint32_t k = 0; k < group.all; ++k) {
      const auto n = static_cast<double>(++seen);
      for (std::size_t j = std::min(canary, seen); j > 0; --j) {
        const auto of = static_cast<double>(j);
        means_[j] = ((n - of) * means_[j] + of * weight * means_[j - 1]) / n;
      }
    }
  }
  return std::exp(std::clamp(chosen - std::log(means_[canary]), -200.0, 200.0));
}

}  // namespace gray::control
