#include "control/judge/event_evidence.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace gray::control {
namespace {

using std::chrono::seconds;

constexpr double kEventRisk = 0.001;
const TimePoint kEventBegin{std::chrono::hours{5}};

double binomial(int n, int k) { return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)); }

TEST_CASE("for equal versions the expected value of each factor is 1, so no alarm is likely") {
  // The factor as in the header, over all outcomes of n events with the share w.
  for (const double times : EventEvidence::kTimes) {
    for (const double share : {0.01, 0.05, 0.5, 0.99}) {
      double expected = 0;
      constexpr int kEvents = 12;
      for (int x = 0; x <= kEvents; ++x) {
        const double chance = binomial(kEvents, x) * std::pow(share, x) * std::pow(1 - share, kEvents - x);
        expected += chance * std::pow(times, x) / std::pow(times * share + 1 - share, kEvents);
      }
      CHECK(expected == doctest::Approx(1));
    }
  }
}

TEST_CASE("a few events of a small canary are enough") {
  EventEvidence evidence;
  evidence.begin(kEventBegin);
  int events = 0;
  while (!evidence.alarm(kEventRisk) && events < 100) evidence.add(kEventBegin + seconds{++events}, 0.05, 1, 0);
  CHECK(events == 4);
}

TEST_CASE("events of stable are evidence against a difference") {
  EventEvidence evidence;
  evidence.begin(kEventBegin);
  evidence.add(kEventBegin, 0.05, 4, 0);
  CHECK(evidence.alarm(kEventRisk));
  evidence.add(kEventBegin + seconds{1}, 0.05, 0, 40);
  CHECK(!evidence.alarm(kEventRisk));
}

TEST_CASE("events in the proportion of the share never lead to an alarm") {
  EventEvidence evidence;
  evidence.begin(kEventBegin);
  for (int i = 1; i <= 10'000; ++i) {
    evidence.add(kEventBegin + seconds{i}, 0.25, 1, 3);
    REQUIRE(!evidence.alarm(kEventRisk));
  }
}

TEST_CASE("with all of the share nothing can be evidence") {
  EventEvidence evidence;
  evidence.begin(kEventBegin);
  for (int i = 1; i <= 1'000; ++i) evidence.add(kEventBegin + seconds{i}, 1, 50, 0);
  CHECK(!evidence.alarm(kEventRisk));
}

TEST_CASE("alone, the events are compared with the known ratio") {
  EventEvidence good, bad;
  good.begin(kEventBegin);
  bad.begin(kEventBegin);
  for (int i = 1; i <= 100; ++i) {
    good.add_alone(kEventBegin + seconds{i}, 0.01, 1, 100);
    bad.add_alone(kEventBegin + seconds{i}, 0.01, 10, 100);
  }
  CHECK(!good.alarm(kEventRisk));
  CHECK(bad.alarm(kEventRisk));
}

TEST_CASE("an unknown ratio, and a flood of events in one step, are no fault") {
  EventEvidence evidence;
  evidence.begin(kEventBegin);
  evidence.add_alone(kEventBegin, 1, 100, 100);
  CHECK(!evidence.alarm(kEventRisk));
  evidence.add(kEventBegin, 0.0, 1'000'000'000, 0);
  CHECK(evidence.alarm(kEventRisk));
  evidence.add(kEventBegin, 0.5, 0, 1'000'000'000);
  CHECK(!evidence.alarm(kEventRisk));
}

}  // namespace
}  // namespace gray::control
