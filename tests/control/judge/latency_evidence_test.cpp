#include "control/judge/latency_evidence.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <random>
#include <vector>

#include "config/shared/totals.hpp"

namespace gray::control {
namespace {

using std::chrono::seconds;

constexpr double kLatencyRisk = 0.001;
const TimePoint kLatencyBegin{std::chrono::hours{5}};
using Samples = std::vector<std::uint32_t>;

Samples no_samples() { return Samples(segment::kHistogramBuckets); }
Samples of(std::initializer_list<std::uint32_t> buckets) {
  auto samples = no_samples();
  for (const auto bucket : buckets) ++samples[bucket];
  return samples;
}
LatencyEvidence::Buckets view(const Samples& samples) { return LatencyEvidence::Buckets(samples); }

TEST_CASE("over all ways to choose the canary's samples the expected evidence is 1") {
  // alarm() compares the mean of the factors with 3 / risk, so bisection of the risk finds the mean.
  const std::vector<std::uint32_t> pool{10, 50, 50, 70, 90, 200, 201};
  constexpr int kCanary = 3;
  double sum = 0;
  int ways = 0;
  for (unsigned mask = 0; mask < 1u << pool.size(); ++mask) {
    if (std::popcount(mask) != kCanary) continue;
    auto canary = no_samples(), stable = no_samples();
    for (std::size_t i = 0; i < pool.size(); ++i) ++((mask >> i & 1) != 0 ? canary : stable)[pool[i]];
    LatencyEvidence evidence;
    evidence.begin(kLatencyBegin);
    evidence.add(kLatencyBegin, view(canary), view(stable));
    double low = 1e-6, high = 1e6;  // the first threshold is 3 / risk
    for (int i = 0; i < 80; ++i) {
      const double middle = std::sqrt(low * high);
      (evidence.alarm(3 / middle) ? low : high) = middle;
    }
    sum += low;
    ++ways;
  }
  CHECK(ways == 35);
  CHECK(sum / ways == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("a slower canary is noticed, a faster one is not a fault") {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 0.5);
  LatencyEvidence slower, faster;
  slower.begin(kLatencyBegin);
  faster.begin(kLatencyBegin);
  int noticed = 0;
  for (int i = 1; i <= 300 && noticed == 0; ++i) {
    auto canary = no_samples(), stable = no_samples(), quick = no_samples();
    for (int k = 0; k < 4; ++k) {
      const auto bucket = [&](double factor) {
        return segment::bucket_of(Micros{static_cast<std::int64_t>(20'000 * factor * std::exp(normal(random)))});
      };
      ++canary[bucket(1.3)];
      ++stable[bucket(1)];
      ++quick[bucket(0.7)];
    }
    slower.add(kLatencyBegin + seconds{i}, view(canary), view(stable));
    faster.add(kLatencyBegin + seconds{i}, view(quick), view(stable));
    CHECK(!faster.alarm(kLatencyRisk));
    if (slower.alarm(kLatencyRisk)) noticed = i;
  }
  CHECK(noticed > 0);
}

TEST_CASE("steps of one version alone, empty ones, and too large ones are left out") {
  LatencyEvidence evidence;
  evidence.begin(kLatencyBegin);
  for (int i = 1; i <= 100; ++i) {
    evidence.add(kLatencyBegin + seconds{i}, view(of({300, 301})), view(no_samples()));
    evidence.add(kLatencyBegin + seconds{i}, view(no_samples()), view(no_samples()));
    auto flood = no_samples();
    flood[300] = LatencyEvidence::kMaxSamples;
    evidence.add(kLatencyBegin + seconds{i}, view(flood), view(of({1})));
  }
  CHECK(!evidence.alarm(kLatencyRisk));
  CHECK(!evidence.alarm(2.9));  // 3 / risk is above 1: there is no evidence at all
}

TEST_CASE("the largest step keeps the numbers finite") {
  LatencyEvidence evidence;
  evidence.begin(kLatencyBegin);
  auto canary = no_samples(), stable = no_samples();
  canary[400] = stable[5] = LatencyEvidence::kMaxSamples / 2;
  evidence.add(kLatencyBegin, view(canary), view(stable));
  CHECK(evidence.alarm(kLatencyRisk));
  for (int i = 1; i <= 2; ++i) evidence.add(kLatencyBegin + seconds{i}, view(stable), view(canary));
  CHECK(!evidence.alarm(kLatencyRisk));
}

}  // namespace
}  // namespace gray::control
