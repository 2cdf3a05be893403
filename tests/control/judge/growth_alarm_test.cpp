#include "control/judge/growth_alarm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace gray::control {
namespace {

constexpr double kMiB = 1 << 20;

/// A process like Node's: its heap grows with the first requests, up to a limit, and shrinks now and then.
double usual(double requests, std::mt19937_64& random) {
  std::uniform_real_distribution<double> collected(0.85, 1);
  return 45 * kMiB + collected(random) * 40 * kMiB * (1 - std::exp(-requests / 2'000));
}

struct GrowthFixture {
  GrowthAlarm alarm;
  std::mt19937_64 random{3};
  TimePoint now{std::chrono::hours{1}};

  /// The seconds until the alarm; nothing: none in that time. The canary has a third of the requests of stable.
  std::optional<int> run(int seconds, double leak, double file_leak = 0, double rate = 50) {
    for (int i = 1; i <= seconds; ++i) {
      now += std::chrono::seconds{1};
      const double canary = rate * i, stable = 3 * rate * i;
      const Vitals of_canary{2, canary, usual(canary, random) + leak * canary, 20 + file_leak * canary};
      const Vitals of_stable{1, stable, usual(stable, random), 60};
      if (alarm.look(now, of_canary, of_stable)) return i;
    }
    return std::nullopt;
  }
};

TEST_CASE_FIXTURE(GrowthFixture, "equal versions do not alarm in an hour") { CHECK(!run(3'600, 0)); }

TEST_CASE_FIXTURE(GrowthFixture, "a leak of 200 KB for each request is found within a minute") {
  const auto found = run(600, 200e3);
  REQUIRE(found);
  CHECK(*found < 60);
}

TEST_CASE_FIXTURE(GrowthFixture, "a leak of 20 KB for each request is found within three minutes") {
  const auto found = run(600, 20e3);
  REQUIRE(found);
  CHECK(*found < 180);
}

TEST_CASE_FIXTURE(GrowthFixture, "a leak of descriptors is found") {
  CHECK(!run(3, 0, 0.5));
  const auto found = run(60, 0, 0.5);
  REQUIRE(found);
  CHECK(*found < 30);
}

TEST_CASE_FIXTURE(GrowthFixture, "a canary that needs more memory from its start does not leak") {
  for (int i = 1; i <= 600; ++i) {
    now += std::chrono::seconds{1};
    const Vitals canary{2, 50.0 * i, 900 * kMiB, 20}, stable{1, 150.0 * i, 80 * kMiB, 20};
    REQUIRE(!alarm.look(now, canary, stable));
  }
}

TEST_CASE_FIXTURE(GrowthFixture, "if stable is old already the canary must be larger than it, too") {
  const auto run_beside_old = [&](double leak) -> std::optional<int> {
    GrowthAlarm fresh;
    for (int i = 1; i <= 600; ++i) {
      now += std::chrono::seconds{1};
      const Vitals stable{1, 1e6 + 150.0 * i, usual(1e6, random), 20};
      const Vitals canary{2, 50.0 * i, usual(50.0 * i, random) + leak * 50 * i, 20};
      if (fresh.look(now, canary, stable)) return i;
    }
    return std::nullopt;
  };
  CHECK(!run_beside_old(0));
  CHECK(run_beside_old(200e3).value_or(600) < 60);
  CHECK(run_beside_old(20e3).value_or(600) < 180);
}

TEST_CASE_FIXTURE(GrowthFixture, "the curve of stable may be recorded before there is a canary") {
  for (int i = 1; i <= 600; ++i) alarm.look(now, {}, {1, 150.0 * i, usual(150.0 * i, random) + 100e3 * 150 * i, 20});
  // Stable leaks, too: a canary that leaks as much is no worse.
  for (int i = 1; i <= 300; ++i) {
    now += std::chrono::seconds{1};
    const Vitals canary{2, 50.0 * i, usual(50.0 * i, random) + 100e3 * 50 * i, 20};
    REQUIRE(!alarm.look(now, canary, {1, 9e4, usual(9e4, random) + 100e3 * 9e4, 20}));
  }
}

TEST_CASE_FIXTURE(GrowthFixture, "a restarted process begins anew") {
  CHECK(!run(20, 150e3 / 20));
  for (int i = 1; i <= 60; ++i) {
    now += std::chrono::seconds{1};
    REQUIRE(!alarm.look(now, {static_cast<std::uint64_t>(100 + i), 5'000, 900 * kMiB, 20}, {1, 1e4, 80 * kMiB, 20}));
  }
}

/// A version with one worker, recorded while it answers `steps` times 1,000 requests and grows each time.
struct Recorded {
  VersionMemory memory;
  Recorded(int steps, double growth) {
    VersionView view{"web", "v1", VersionState::serving, "", {}};
    view.workers.push_back({.id = "web@v1#0", .pid = 1, .generation = 1, .routable = true});
    segment::Totals totals;
    double bytes = 45 * kMiB;
    const ProcessMeter meter{[&](pid_t) { return static_cast<std::uint64_t>(bytes); }, [](pid_t) { return 9u; }};
    for (int i = 0; i < steps; ++i) {
      memory.look(TimePoint{std::chrono::seconds{i}}, view, totals, meter);
      totals.requests += 1'000;
      bytes += growth;
    }
  }
};

TEST_CASE_FIXTURE(GrowthFixture, "growth of stable that was recorded before the canary had users is usual growth") {
  const Recorded stable(10, 20 * kMiB), canary(10, 30 * kMiB);
  const auto look = [&](const GrowthHistory& history) {
    std::optional<std::string> reason;
    alarm = {};
    for (int i = 0; i < 30 && !reason; ++i) {
      now += std::chrono::seconds{1};
      // Stable is old: it has had a million requests, and grows no more.
      const Vitals of_canary{2, 400.0 * i, 45 * kMiB + 8 * kMiB * i, 20}, of_stable{1, 1e6, 100 * kMiB, 60};
      reason = alarm.look(now, of_canary, of_stable, history);
    }
    return reason;
  };
  CHECK(look({}));
  CHECK_FALSE(look({&canary.memory, &stable.memory}));
  const Recorded steady(10, 1'000);
  const auto reason = look({&canary.memory, &steady.memory});
  REQUIRE(reason);
  CHECK(reason->find("(30.00 MiB per 1,000 requests); that of stable is 100 MiB (0.00 MiB per 1,000") !=
        std::string::npos);
}

}  // namespace
}  // namespace gray::control
