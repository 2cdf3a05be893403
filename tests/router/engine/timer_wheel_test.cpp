#include "router/engine/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <vector>

using namespace gray;
using namespace gray::engine;
using std::chrono::milliseconds;

namespace {

const TimePoint kStart{std::chrono::hours(1)};

struct Alarm {
  Timer timer{this, [](void* self, TimePoint now) { static_cast<Alarm*>(self)->fired.push_back(now); }};
  std::vector<TimePoint> fired;
};

}  // namespace

TEST_CASE("a timer fires once, at most a tick late and never early") {
  TimerWheel wheel(kStart);
  Alarm alarm;
  wheel.arm(alarm.timer, kStart + milliseconds(100));
  for (int ms = 0; ms < 100; ++ms) wheel.advance(kStart + milliseconds(ms));
  CHECK(alarm.fired.empty());
  wheel.advance(kStart + milliseconds(100) + TimerWheel::kTick);
  REQUIRE(alarm.fired.size() == 1);
  CHECK_FALSE(alarm.timer.armed());
  wheel.advance(kStart + milliseconds(30'000));
  CHECK(alarm.fired.size() == 1);
}

TEST_CASE("a deadline beyond one turn of the wheel waits for its turn") {
  TimerWheel wheel(kStart);
  Alarm alarm;
  wheel.arm(alarm.timer, kStart + std::chrono::seconds(75));
  for (int second = 1; second < 75; ++second) wheel.advance(kStart + std::chrono::seconds(second));
  CHECK(alarm.fired.empty());
  wheel.advance(kStart + std::chrono::seconds(75) + TimerWheel::kTick);
  CHECK(alarm.fired.size() == 1);
}

TEST_CASE("a deadline that moves later is only stored, one that moves earlier takes effect") {
  TimerWheel wheel(kStart);
  Alarm alarm;
  wheel.arm(alarm.timer, kStart + milliseconds(50));
  wheel.arm(alarm.timer, kStart + milliseconds(500));
  wheel.advance(kStart + milliseconds(400));
  CHECK(alarm.fired.empty());
  wheel.arm(alarm.timer, kStart + milliseconds(420));
  wheel.advance(kStart + milliseconds(440));
  CHECK(alarm.fired.size() == 1);
}

TEST_CASE("a timer that is disarmed, or dies, does not fire") {
  TimerWheel wheel(kStart);
  Alarm disarmed;
  wheel.arm(disarmed.timer, kStart + milliseconds(10));
  wheel.disarm(disarmed.timer);
  wheel.disarm(disarmed.timer);
  {
    Alarm dead;
    wheel.arm(dead.timer, kStart + milliseconds(10));
  }
  CHECK(wheel.size() == 0);
  wheel.advance(kStart + milliseconds(100));
  CHECK(disarmed.fired.empty());
}

TEST_CASE("a firing may disarm and destroy others of the same slot, and arm itself again") {
  TimerWheel wheel(kStart);
  auto victim = std::make_unique<Alarm>();
  struct Killer {
    TimerWheel& wheel;
    std::unique_ptr<Alarm>& victim;
    int fired = 0;
    Timer timer{this, [](void* self, TimePoint now) {
                  auto& killer = *static_cast<Killer*>(self);
                  ++killer.fired;
                  killer.victim.reset();
                  killer.wheel.arm(killer.timer, now + milliseconds(50));
                }};
  } killer{wheel, victim};
  // Both orders within a slot: the list is last in, first out.
  wheel.arm(victim->timer, kStart + milliseconds(10));
  wheel.arm(killer.timer, kStart + milliseconds(10));
  wheel.advance(kStart + milliseconds(20));
  CHECK(killer.fired == 1);
  CHECK(victim == nullptr);
  wheel.advance(kStart + milliseconds(90));
  CHECK(killer.fired == 2);
}

TEST_CASE("next_wakeup is never later than a due timer, for random timers and steps") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Alarm>> alarms;
  TimePoint now = kStart;
  for (int i = 0; i < 200; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    wheel.arm(alarms.back()->timer, now + milliseconds(random() % 20'000));
  }
  std::vector<TimePoint> due;
  for (const auto& alarm : alarms) due.push_back(alarm->timer.deadline());
  while (wheel.size() > 0) {
    const auto wakeup = wheel.next_wakeup();
    REQUIRE(wakeup.has_value());
    REQUIRE(*wakeup > now - TimerWheel::kTick);
    now = std::max(now, *wakeup);
    wheel.advance(now);
    now += milliseconds(1);
  }
  for (std::size_t i = 0; i < alarms.size(); ++i) {
    REQUIRE(alarms[i]->fired.size() == 1);
    CHECK(alarms[i]->fired[0] >= due[i]);
    CHECK(alarms[i]->fired[0] <= due[i] + 2 * TimerWheel::kTick);
  }
}

TEST_CASE("after a long stall everything due fires, once") {
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 100; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    wheel.arm(alarms.back()->timer, kStart + milliseconds(i * 300));
  }
  wheel.advance(kStart + std::chrono::hours(2));
  for (const auto& alarm : alarms) CHECK(alarm->fired.size() == 1);
  CHECK_FALSE(wheel.next_wakeup().has_value());
}
