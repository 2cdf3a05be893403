#include "supervisor/restart_policy.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {
const TimePoint kStart{1h};
}

TEST_CASE("the delay doubles from half a second to thirty, within a fifth") {
  RestartPolicy policy(1);
  policy.ready();
  policy.healthy();
  unsigned streak = 0;
  for (double expected :
       {500., 1000., 2000., 4000., 8000., 16000., 30000., 30000., 30000., 30000., 30000., 30000., 30000.}) {
    const Verdict verdict = policy.ended({.carries_traffic = true, .streak = streak}, kStart);
    CHECK_FALSE(verdict.give_up);
    CHECK(static_cast<double>(verdict.delay.count()) >= expected * 0.799);
    CHECK(static_cast<double>(verdict.delay.count()) <= expected * 1.201);
    streak = verdict.streak;
  }
  const Verdict stable = policy.ended({.stable = true, .carries_traffic = true, .streak = streak}, kStart);
  CHECK(stable.delay == 0ms);
  CHECK(stable.streak == 0);
}

TEST_CASE("the jitter differs from one restart to the next") {
  RestartPolicy policy(7);
  policy.ready();
  CHECK(policy.ended({.carries_traffic = true, .streak = 9}, kStart).delay !=
        policy.ended({.carries_traffic = true, .streak = 9}, kStart).delay);
}

TEST_CASE("a version that was never ready fails at its third start failure, traffic or not") {
  for (const bool traffic : {false, true}) {
    RestartPolicy policy(1);
    CHECK_FALSE(policy.ended({.start_failure = true, .carries_traffic = traffic}, kStart).give_up);
    CHECK_FALSE(policy.ended({.start_failure = true, .carries_traffic = traffic}, kStart).give_up);
    CHECK(policy.ended({.start_failure = true, .carries_traffic = traffic}, kStart).give_up);
  }
}

TEST_CASE("a version that was up and carries traffic never fails") {
  RestartPolicy policy(1);
  policy.ready();
  policy.healthy();
  for (int i = 0; i < 1000; ++i)
    CHECK_FALSE(
        policy.ended({.start_failure = true, .hopeless = true, .carries_traffic = true, .streak = 1}, kStart).give_up);
}

TEST_CASE("a version that would have failed without its traffic is crashing, until an end is alone in its window") {
  RestartPolicy policy(1);
  policy.ready();
  policy.healthy();
  const WorkerEnd end{.carries_traffic = true, .streak = 1};
  for (int i = 0; i < 10; ++i) policy.ended(end, kStart);
  CHECK_FALSE(policy.crashing());
  policy.ended(end, kStart + 300s);
  CHECK(policy.crashing());
  policy.ended(end, kStart + 301s);
  CHECK(policy.crashing());
  policy.ended(end, kStart + 700s);
  CHECK_FALSE(policy.crashing());
  for (int i = 0; i < 10; ++i) policy.ended(end, kStart + 700s);
  CHECK(policy.crashing());
}

TEST_CASE("a version without traffic fails at the eleventh end within five minutes") {
  RestartPolicy policy(1);
  policy.ready();
  policy.healthy();
  for (int i = 0; i < 10; ++i) CHECK_FALSE(policy.ended({}, kStart + i * 1s).give_up);
  CHECK(policy.ended({}, kStart + 299s).give_up);
}

TEST_CASE("ends that are more than five minutes apart from ten others do not count") {
  RestartPolicy policy(1);
  policy.ready();
  policy.healthy();
  for (int i = 0; i < 100; ++i) CHECK_FALSE(policy.ended({}, kStart + i * 31s).give_up);
}

TEST_CASE("a program that cannot be run fails its version at once") {
  RestartPolicy policy(1);
  CHECK(policy.ended({.start_failure = true, .hopeless = true}, kStart).give_up);
}

TEST_CASE("a shortage of the machine is waited for and never counted") {
  RestartPolicy policy(1);
  for (unsigned i = 0; i < 50; ++i) {
    const Verdict verdict = policy.ended({.start_failure = true, .exhausted = true, .streak = i}, kStart);
    CHECK_FALSE(verdict.give_up);
    CHECK(verdict.delay >= 800ms);
    CHECK(verdict.delay <= 72s);
  }
}
