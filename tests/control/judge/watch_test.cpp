#include "control/judge/watch.hpp"

#include <doctest/doctest.h>

#include "config/shared/totals.hpp"

namespace gray::control {
namespace {

struct WatchFixture {
  segment::Segment segment = segment::Segment::create();
  Watch watch;
  TimePoint now{std::chrono::hours{1}};
  Watch::Split split{"v1", "v2", 1, 2, 5, Duration{500}};

  /// One step in which the versions get `stable` and `canary` requests, and the canary fails `users` users.
  std::optional<Verdict> step(std::uint64_t stable, std::uint64_t canary, std::uint64_t users = 0) {
    segment::writable_row(*segment, 0, 0, 1).requests += stable;
    auto& row = segment::writable_row(*segment, 0, 0, 2);
    row.requests += canary;
    row.errors += users;
    row.failing_users += users;
    now += Watch::kInterval;
    watch.look(now, split, *segment);
    return watch.verdict();
  }
};

TEST_CASE_FIXTURE(WatchFixture, "without a version beside stable there is no verdict") {
  watch.look(now, std::nullopt, *segment);
  CHECK(!watch.verdict());
  CHECK(watch.canary().empty());
}

TEST_CASE_FIXTURE(WatchFixture, "what was before the first look does not count") {
  CHECK(step(1'000, 1'000, 900)->canary.requests == 0);
  const auto verdict = step(95, 5);
  CHECK(verdict->canary.requests == 5);
  CHECK(verdict->stable.requests == 95);
  CHECK(watch.canary() == "v2");
}

TEST_CASE_FIXTURE(WatchFixture, "all counts of both versions are those of the last look") {
  step(100, 20);
  step(95, 5, 1);
  CHECK(watch.stable_totals().requests == 195);
  CHECK(watch.canary_totals().requests == 25);
  CHECK(watch.canary_totals().errors == 1);
}

TEST_CASE_FIXTURE(WatchFixture, "a bad canary fails; with its users gone the watch ends") {
  for (int i = 0; i < 20; ++i) step(95, 5);
  CHECK(step(95, 5)->result == VerdictResult::pass);
  CHECK(step(95, 8, 8)->result == VerdictResult::fail);
  watch.look(now, std::nullopt, *segment);
  CHECK(!watch.verdict());
}

TEST_CASE_FIXTURE(WatchFixture, "a changed weight begins new figures and forgets the marked users") {
  for (int i = 0; i < 20; ++i) step(95, 5);
  segment->versions[2].users[7] = 255;
  CHECK(step(95, 5)->canary.users > 0);
  split.weight = 25;
  const auto verdict = step(75, 25);
  CHECK(verdict->canary.requests == 25);
  CHECK(verdict->canary.users == 0);
}

TEST_CASE_FIXTURE(WatchFixture, "a different canary, stable version or limit begins anew") {
  for (const auto change : {0, 1, 2}) {
    for (int i = 0; i < 20; ++i) step(95, 5);
    step(95, 8, 8);
    CHECK(watch.verdict()->result == VerdictResult::fail);
    if (change == 0) split.canary += "x";
    if (change == 1) split.stable += "x";
    if (change == 2) split.latency += Duration{1};
    CHECK(step(95, 5)->result == VerdictResult::insufficient);
  }
}

}  // namespace
}  // namespace gray::control
