#include "control/judge/judge.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/control/judge/simulation.hpp"

namespace gray::control {
namespace {

using simulation::at;

struct JudgeFixture {
  Judge judge{Duration{500}};
  double now = 1'000;

  JudgeFixture() { judge.begin(at(now)); }
  Verdict step(double weight, const Step& canary, const Step& stable) {
    now += 0.1;
    judge.observe(at(now), weight, canary, stable);
    return judge.verdict();
  }
  /// `steps` steps of healthy traffic: 100 requests, the canary has its share of them.
  Verdict healthy(int steps, double weight) {
    Verdict last;
    const auto canary = static_cast<std::uint64_t>(weight);
    for (int i = 0; i < steps; ++i) last = step(weight, {.requests = canary}, {.requests = 100 - canary});
    return last;
  }
};

Step failing(std::uint64_t users) { return {.requests = users, .errors = users, .failing_users = users}; }

TEST_CASE_FIXTURE(JudgeFixture, "without traffic the verdict is insufficient, and says what is missing") {
  CHECK(judge.verdict().result == VerdictResult::insufficient);
  CHECK(step(5, {}, {}).text == "the canary has had 0 of 50 requests");
  CHECK(step(5, {.requests = 60}, {.requests = 10}).text == "stable has had 10 of 50 requests to compare with");
  const auto passed = step(5, {}, {.requests = 40});
  CHECK(passed.result == VerdictResult::pass);
  CHECK(passed.text.empty());
  CHECK(!passed.metric);
}

TEST_CASE_FIXTURE(JudgeFixture, "requests of rules and of the allowlist are no evidence, but in the figures") {
  CHECK(step(5, {.requests = 90, .targeted = 60}, {.requests = 95}).text == "the canary has had 30 of 50 requests");
  CHECK(step(5, {.requests = 20}, {.requests = 0}).result == VerdictResult::pass);
  CHECK(judge.verdict().canary.requests == 110);
  JudgeFixture other;
  CHECK(other.step(5, {.requests = 60}, {.requests = 90, .targeted = 80}).text ==
        "stable has had 10 of 50 requests to compare with");
  // Insiders are most of its requests, and one in 20 of the others fails: as many as of stable.
  JudgeFixture insiders;
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t fails = i % 20 == 0 ? 1 : 0;
    const Step canary{.requests = 11, .errors = fails, .targeted = 10, .failing_users = fails},
        stable{.requests = 1, .errors = fails, .failing_users = fails};
    REQUIRE(insiders.step(50, canary, stable).result != VerdictResult::fail);
  }
}

TEST_CASE_FIXTURE(JudgeFixture, "a few failing users of a small canary are a fail, with the figures of both versions") {
  healthy(50, 5);
  Verdict verdict;
  int users = 0;
  while (verdict.result != VerdictResult::fail && users < 20) {
    verdict = step(5, failing(1), {.requests = 19});
    ++users;
  }
  CHECK(users <= 5);
  CHECK(verdict.metric == Metric::errors);
  CHECK(verdict.canary.failed == static_cast<std::uint64_t>(users));
  CHECK(verdict.canary.requests == static_cast<std::uint64_t>(250 + users));
  CHECK(verdict.canary.error_ratio == doctest::Approx(users / (250.0 + users)));
  CHECK(verdict.stable.failed == 0);
  CHECK(verdict.text.find("stable") != std::string::npos);
}

TEST_CASE_FIXTURE(JudgeFixture, "one user who fails again and again is no evidence") {
  healthy(50, 5);
  step(5, failing(1), {.requests = 19});
  for (int i = 0; i < 1'000; ++i) {
    const auto verdict = step(5, {.requests = 1, .errors = 1}, {.requests = 19});
    REQUIRE(verdict.result == VerdictResult::pass);
  }
}

TEST_CASE_FIXTURE(JudgeFixture, "fewer failing users than the floor are no fail, whatever the evidence") {
  healthy(3'000, 0.1);
  CHECK(step(0.1, failing(2), {.requests = 100}).result != VerdictResult::fail);
  CHECK(step(0.1, failing(1), {.requests = 100}).result == VerdictResult::fail);
}

TEST_CASE_FIXTURE(JudgeFixture, "resets and time-outs are metrics of their own beside usual errors") {
  // Both versions fail often in the same way, so that errors alone show nothing.
  for (int i = 0; i < 20; ++i)
    step(25, {.requests = 25, .errors = 5, .failing_users = 5}, {.requests = 75, .errors = 15, .failing_users = 15});
  Verdict verdict;
  for (int i = 0; i < 60 && verdict.result != VerdictResult::fail; ++i) {
    verdict = step(25, {.requests = 25, .errors = 5, .failing_users = 5, .timed_out_users = 1},
                   {.requests = 75, .errors = 15, .failing_users = 15});
  }
  CHECK(verdict.metric == Metric::timeouts);
}

TEST_CASE_FIXTURE(JudgeFixture, "answers over the limit are slow") {
  const auto sampled = [](Micros latency, std::uint32_t count) {
    std::vector<std::uint32_t> samples(segment::kHistogramBuckets);
    samples[segment::bucket_of(latency)] = count;
    return samples;
  };
  healthy(50, 25);
  Verdict verdict;
  for (int i = 0; i < 100 && verdict.result != VerdictResult::fail; ++i) {
    Step canary{.requests = 25, .samples = sampled(Micros{20'000}, 4)};
    if (i % 4 == 0) canary.samples[segment::bucket_of(Micros{900'000})] = 1;
    verdict = step(25, canary, {.requests = 75, .samples = sampled(Micros{20'000}, 4)});
  }
  CHECK(verdict.metric == Metric::slow);
  CHECK(verdict.text.find("500 ms") != std::string::npos);
}

TEST_CASE_FIXTURE(JudgeFixture, "a difference of latency that is too small to matter is no fail") {
  std::vector<std::uint32_t> fast(segment::kHistogramBuckets), slower(segment::kHistogramBuckets);
  fast[segment::bucket_of(Micros{300})] = 4;
  slower[segment::bucket_of(Micros{600})] = 4;  // twice as slow, but by less than a millisecond
  for (int i = 0; i < 500; ++i) {
    const auto verdict = step(25, {.requests = 25, .samples = slower}, {.requests = 75, .samples = fast});
    REQUIRE(verdict.result != VerdictResult::fail);
  }
}

TEST_CASE_FIXTURE(JudgeFixture, "too many failing users to count hold the rollout") {
  healthy(50, 5);
  CHECK(step(5, {.requests = 5, .overflowed = true}, {.requests = 95}).result == VerdictResult::insufficient);
  judge.weight_changed(at(now));
  CHECK(healthy(50, 5).result == VerdictResult::pass);
}

TEST_CASE_FIXTURE(JudgeFixture, "a lower weight does not make late failures of the old one look like evidence") {
  healthy(50, 50);
  judge.weight_changed(at(now));
  for (int i = 0; i < 100; ++i) {
    // Time-outs of both versions from before the change, in equal numbers.
    const auto verdict = step(1, {.requests = 2, .errors = 1, .failing_users = 1, .timed_out_users = 1},
                              {.requests = 98, .errors = 1, .failing_users = 1, .timed_out_users = 1});
    REQUIRE(verdict.result != VerdictResult::fail);
  }
}

TEST_CASE_FIXTURE(JudgeFixture, "at 100 percent the canary is compared with what stable had before") {
  CHECK(healthy(100, 100).text == "stable gets no requests, and what it had before is not known");
  judge.begin(at(now));
  healthy(100, 50);
  judge.weight_changed(at(now));
  CHECK(healthy(100, 100).result == VerdictResult::pass);
  Verdict verdict;
  int users = 0;
  while (verdict.result != VerdictResult::fail && users < 400)
    verdict = step(100, {.requests = 50, .errors = 5, .failing_users = 5}, {}), users += 5;
  CHECK(verdict.result == VerdictResult::fail);
  CHECK(users < 200);
}

TEST_CASE_FIXTURE(JudgeFixture, "a fail ends when there was no new evidence for the recovery time") {
  healthy(50, 5);
  CHECK(step(5, failing(8), {.requests = 19}).result == VerdictResult::fail);
  for (int i = 0; i < 600; ++i) step(5, {.requests = 5}, {.requests = 95, .errors = 1, .failing_users = 1});
  CHECK(judge.verdict().result == VerdictResult::fail);
  now += 600;
  CHECK(step(5, {.requests = 5}, {.requests = 95}).result == VerdictResult::pass);
}

TEST_CASE_FIXTURE(JudgeFixture, "a changed weight begins new figures, and ends a fail") {
  healthy(50, 5);
  step(5, failing(8), {.requests = 19});
  CHECK(judge.verdict().result == VerdictResult::fail);
  judge.weight_changed(at(now));
  CHECK(judge.verdict().result == VerdictResult::insufficient);
  CHECK(judge.verdict().canary.requests == 0);
}

TEST_CASE("simulated: a bad canary is found within seconds, after a handful of users") {
  for (const double healthy : {0.0, 120.0}) {
    std::vector<double> seconds;
    std::vector<unsigned> users;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      const auto fail = simulation::errors({.healthy = healthy}, seed);
      REQUIRE(fail);
      seconds.push_back(fail->after);
      users.push_back(fail->users);
    }
    CHECK(simulation::quantile_of(seconds, 0.5) <= (healthy == 0 ? 6 : 9));
    CHECK(simulation::quantile_of(users, 0.5) <= (healthy == 0 ? 6 : 9));
  }
}

TEST_CASE("simulated: a canary that is 20 percent slower is found within a minute, an equal one never") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CHECK(simulation::slower({.sigma = 0.5, .limit = 60}, seed));
    CHECK(!simulation::slower({.times = 1, .sigma = 1, .limit = 300}, seed));
  }
}

TEST_CASE("simulated: equal versions with bursts of errors and changing weights do not fail in a day") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(!simulation::fails_although_equal({}, seed));
}

}  // namespace
}  // namespace gray::control
