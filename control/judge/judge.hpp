#pragma once
// Compares a version that gets a share of the users with stable, both at the same time. Pure: counts and `now` in, a
// verdict out. docs/judge.md has the mathematics and its limits.
//
// Model. Each step brings what both versions did since the step before. Four kinds of events and the latency have
// evidence of their own; together the probability of a fail for equal versions is at most kRisk in 24 hours.
//
// Invariants
//  - A fail needs evidence and an effect that matters: at least kMinFailed users, or at least kMinSlowdown.
//  - Without enough requests of both versions the verdict is insufficient, and says what is missing.
//  - A fail stays until begin() or weight_changed(), or until kRecovery has passed without new evidence.
//  - The share of the canary is the larger of two: its part of the requests of the last kWindow, and the largest weight
//    of the last kSettle. So neither a user with many requests nor requests from before a change of the weight look
//    like evidence.
//  - At a weight of 100 no stable version serves at the same time: the canary is compared with what stable had before.
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"
#include "control/judge/event_evidence.hpp"
#include "control/judge/latency_evidence.hpp"
#include "control/judge/verdict.hpp"

namespace gray::control {

/// What one version did in one step.
struct Step {
  std::uint64_t requests = 0, errors = 0;  // completed
  std::uint64_t targeted = 0;  // of the requests: those of rules and of the allowlist, which are not compared
  std::uint64_t compared() const { return requests - std::min(targeted, requests); }
  std::uint64_t failing_users = 0, reset_users = 0, timed_out_users = 0;  // each once in 10 minutes
  bool overflowed = false;                                                // some failing users could not be counted
  std::uint64_t users = 0;             // distinct ones since the weight was changed; an estimate
  std::vector<std::uint32_t> samples;  // latencies, by bucket of segment::Histogram; empty: none
};

class Judge {
 public:
  static constexpr double kRisk = 0.001;
  static constexpr std::uint64_t kMinRequests = 50;
  static constexpr std::uint64_t kMinFailed = 3;
  static constexpr double kMinSlowdown = 1.05;  // of the geometric mean, and
  static constexpr double kMinSlowdownMs = 1;   // in milliseconds
  static constexpr std::uint64_t kMinSamples = 30;
  static constexpr Duration kWindow{10'000};  // and up to twice as much
  static constexpr Duration kSettle{60'000};
  static constexpr Duration kRecovery{600'000};

  /// An answer that takes longer than `limit` is slow.
  explicit Judge(Duration limit) : limit_(limit) {}

  /// The version has got its first users: everything but the memory of stable begins anew.
  void begin(TimePoint now);
  /// Its weight was changed: the figures begin anew. The evidence stays, because every new begin of it would be a
  /// further chance for a false alarm.
  void weight_changed(TimePoint now);
  /// `weight`: percent of users that the canary gets.
  void observe(TimePoint now, double weight, const Step& canary, const Step& stable);
  Verdict verdict() const;

 private:
  static constexpr std::size_t kEvents = static_cast<std::size_t>(Metric::latency);
  using Counts = std::array<std::uint64_t, kEvents>;

  /// Of one version, for one window.
  struct Window {
    std::uint64_t requests = 0, samples = 0;
    double log_sum = 0;  // of the latencies of the samples, in microseconds
  };
  struct Side {
    Step sum;  // since begin(); samples too
    Counts events{};
    Window before, now;
    double exposure(std::size_t metric) const;
    Window recent() const;
  };
  struct Reference {
    std::array<double, kEvents> exposure{}, events{};
  };

  Counts events_of(const Step& step) const;
  void gather(Side& side, const Step& step, const Counts& events) const;
  void roll(TimePoint now, double weight);
  void compare(TimePoint now, const Step& canary, const Counts& of_canary, const Step& stable, const Counts& of_stable);
  void compare_alone(TimePoint now, const Step& canary, const Counts& counts);
  double share(std::size_t metric) const;
  void remember(const Step& stable, const Counts& events);
  double ratio_of_stable(std::size_t metric) const;
  std::optional<Metric> alarm() const;
  bool matters(Metric metric) const;
  std::string missing() const;
  std::string words(Metric metric) const;
  static Figures figures(const Side& side);

  Duration limit_;
  double weight_ = 0;
  Side canary_, stable_;
  TimePoint window_ends_{};
  std::array<EventEvidence, kEvents> events_;
  LatencyEvidence latency_;
  Reference reference_;
  std::deque<std::pair<TimePoint, double>> weights_;  // until when; falling
  std::optional<Metric> failed_;
  TimePoint failed_at_{};
};

}  // namespace gray::control
