#include "control/judge/hang_alarm.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

struct HangFixture {
  HangAlarm alarm;
  TimePoint now{std::chrono::hours{1}};
  segment::Totals canary, stable;

  /// A tenth of a second: so many requests come to each version, and so many are answered.
  std::optional<std::string> step(std::uint64_t canary_came, std::uint64_t canary_done, std::uint64_t stable_came,
                                  std::uint64_t stable_done) {
    canary.in_flight += canary_came - canary_done;
    canary.requests += canary_done;
    stable.in_flight += stable_came - stable_done;
    stable.requests += stable_done;
    now += Duration{100};
    return alarm.look(now, canary, stable);
  }
};

TEST_CASE_FIXTURE(HangFixture, "a canary that answers nothing for three seconds while stable answers is a fault") {
  for (int i = 0; i < 20; ++i) CHECK(!step(1, 1, 19, 19));
  int steps = 0;
  std::optional<std::string> alarmed;
  while (!alarmed && steps < 100) alarmed = step(1, 0, 19, 19), ++steps;
  CHECK(steps == 30);
  CHECK(*alarmed == "no answer for 3.0 s, 30 requests wait; stable answered 570 requests meanwhile");
}

TEST_CASE_FIXTURE(HangFixture, "one slow request of a quiet canary is not a hang") {
  step(1, 1, 19, 19);
  for (int i = 0; i < 600; ++i) CHECK(!step(i == 0 ? 1 : 0, 0, 19, 19));
}

TEST_CASE_FIXTURE(HangFixture, "long polls at both versions are not a hang") {
  step(1, 1, 19, 19);
  for (int i = 0; i < 300; ++i) CHECK(!step(1, 0, 19, 0));
}

TEST_CASE_FIXTURE(HangFixture, "an answer now and then is not a hang") {
  for (int i = 0; i < 600; ++i) CHECK(!step(2, i % 25 == 0 ? 1 : 0, 19, 19));
}

TEST_CASE_FIXTURE(HangFixture, "clients that give up end the silence: their requests are completed") {
  for (int i = 0; i < 25; ++i) step(1, 0, 19, 19);
  CHECK(!step(0, 20, 19, 19));
  for (int i = 0; i < 20; ++i) CHECK(!step(0, 0, 19, 19));
}

}  // namespace
}  // namespace gray::control
