#pragma once
// Simulated traffic through the real judge: for judge_test with few seeds, and for scripts/bench rollout with as many
// as the figures in docs/judge.md need. A seed gives the same run everywhere.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "config/shared/totals.hpp"
#include "control/judge/judge.hpp"

namespace gray::control::simulation {

inline constexpr double kStep = 0.1;  // seconds between two looks of the judge
inline constexpr double kUserWindow = 600;

struct Fail {
  double after = 0;    // seconds since the canary became bad
  unsigned users = 0;  // of the canary, failed since then
};

inline TimePoint at(double seconds) {
  return TimePoint{} + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

struct Errors {
  double healthy = 0;  // seconds before the canary becomes bad
  double rate = 200;   // requests per second of all users
  double weight = 5;   // percent
  double good = 0.001, bad = 0.1;
  double limit = 600;  // seconds after that
};

/// Sticky users who ask independently; a failing one is counted once in 10 minutes. Nothing: no fail within the limit.
inline std::optional<Fail> errors(const Errors& plan, std::uint64_t seed) {
  constexpr std::size_t kUsers = 4'000;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::poisson_distribution<int> arrivals(plan.rate * kStep);
  std::vector<double> failed_at(kUsers, -kUserWindow);
  Judge judge(Duration{500});
  judge.begin(at(0));
  unsigned users = 0;
  for (double t = 0; t < plan.healthy + plan.limit; t += kStep) {
    Step canary, stable;
    const bool is_bad = t >= plan.healthy;
    for (int n = arrivals(random); n > 0; --n) {
      const auto user = static_cast<std::size_t>(uniform(random) * kUsers);
      const bool on_canary = static_cast<double>(user) < kUsers * plan.weight / 100;
      Step& step = on_canary ? canary : stable;
      ++step.requests;
      if (uniform(random) >= (on_canary && is_bad ? plan.bad : plan.good)) continue;
      ++step.errors;
      if (t - failed_at[user] < kUserWindow) continue;
      failed_at[user] = t;
      ++step.failing_users;
      if (on_canary && is_bad) ++users;
    }
    judge.observe(at(t + kStep), plan.weight, canary, stable);
    if (judge.verdict().result == VerdictResult::fail) return Fail{t + kStep - plan.healthy, users};
  }
  return std::nullopt;
}

struct Slower {
  double times = 1.2;  // the canary's service time by that of stable
  double sigma = 0.5;  // of the logarithm of the service time
  double rate = 500, weight = 25;
  int workers = 4;  // of each version
  double limit = 600;
};

/// The seconds until the fail; nothing: none within the limit. One sample for each worker and 100 ms.
inline std::optional<double> slower(const Slower& plan, std::uint64_t seed) {
  constexpr double kMedianUs = 20'000;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::normal_distribution<double> normal;
  std::poisson_distribution<int> arrivals(plan.rate * kStep);
  Judge judge(Duration{500});
  judge.begin(at(0));
  for (double t = 0; t < plan.limit; t += kStep) {
    Step sides[2];
    std::vector<char> sampled(static_cast<std::size_t>(2 * plan.workers), 0);
    for (auto& side : sides) side.samples.resize(segment::kHistogramBuckets);
    for (int n = arrivals(random); n > 0; --n) {
      const std::size_t canary = uniform(random) < plan.weight / 100 ? 1 : 0;
      ++sides[canary].requests;
      const auto worker = static_cast<std::size_t>(uniform(random) * plan.workers);
      if (std::exchange(sampled[2 * worker + canary], 1) != 0) continue;
      const double us = kMedianUs * std::exp(plan.sigma * normal(random)) * (canary == 1 ? plan.times : 1);
      ++sides[canary].samples[segment::bucket_of(Micros{static_cast<std::int64_t>(us)})];
    }
    judge.observe(at(t + kStep), plan.weight, sides[1], sides[0]);
    if (judge.verdict().result == VerdictResult::fail) return t + kStep;
  }
  return std::nullopt;
}

struct Equal {
  double hours = 24;
  double rate = 200;
  double errors = 0.005;        // of the requests
  double burst = 20;            // failed requests of a user at a time
  double weight_changes = 600;  // seconds from one to the next
};

/// Equal versions whose errors come in bursts of one user, while the weight changes: whether the judge ever failed.
inline bool fails_although_equal(const Equal& plan, std::uint64_t seed) {
  constexpr std::size_t kUsers = 20'000;
  constexpr double kWeights[] = {1, 5, 25, 50, 100, 25, 5};
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::exponential_distribution<double> pause(plan.rate * plan.errors / plan.burst);
  std::vector<double> failed_at(2 * kUsers, -kUserWindow);
  Judge judge(Duration{500});
  judge.begin(at(0));
  double t = 0, next_change = plan.weight_changes;
  std::size_t now = 0;
  while (t < plan.hours * 3'600) {
    const double wait = pause(random);
    t += wait;
    if (t >= next_change) {
      now = (now + 1) % std::size(kWeights);
      next_change = t + plan.weight_changes;
      judge.weight_changed(at(t));
    }
    const double weight = kWeights[now];
    const auto user = static_cast<std::size_t>(uniform(random) * kUsers);
    const bool on_canary = static_cast<double>(user) < kUsers * weight / 100;
    Step sides[2];
    const auto requests = static_cast<std::uint64_t>(std::max(1.0, plan.rate * wait));
    sides[1].requests = static_cast<std::uint64_t>(static_cast<double>(requests) * weight / 100);
    sides[0].requests = requests - sides[1].requests;
    Step& side = sides[on_canary ? 1 : 0];
    side.errors = static_cast<std::uint64_t>(plan.burst);
    if (double& last = failed_at[2 * user + (on_canary ? 1 : 0)]; t - last >= kUserWindow) {
      last = t;
      side.failing_users = 1;
    }
    judge.observe(at(t), weight, sides[1], sides[0]);
    if (judge.verdict().result == VerdictResult::fail) return true;
  }
  return false;
}

/// The value below which the part `q` of the values is.
template <class T>
T quantile_of(std::vector<T> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace gray::control::simulation
