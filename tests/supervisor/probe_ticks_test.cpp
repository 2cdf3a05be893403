#include "supervisor/probe_ticks.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

TEST_CASE("the probes of a worker are one interval apart, also if each is asked for a little late") {
  for (const Duration interval : {100ms, 250ms, 1'000ms, 7'777ms}) {
    TimePoint at = next_probe(TimePoint{1h + 123ms}, interval, 3);
    for (int i = 0; i < 5; ++i) {
      const TimePoint next = next_probe(at + 7ms, interval, 3);
      CHECK(next - at == interval);
      at = next;
    }
  }
}

TEST_CASE("however many workers there are, they share the ticks of an interval evenly") {
  for (const Duration interval : {30ms, 100ms, 1'000ms, 10'000ms}) {
    const auto ticks = static_cast<std::size_t>(std::max<Duration::rep>(interval / kProbeTick, 1));
    std::map<Clock::duration, std::size_t> workers;
    for (std::uint64_t number = 1; number <= 100 * ticks; ++number) {
      const TimePoint now{1h + Duration{number % 997}};
      ++workers[next_probe(now, interval, number).time_since_epoch() % Clock::duration{interval}];
    }
    CHECK(workers.size() == ticks);
    for (const auto& [tick, count] : workers) CHECK(count == 100);
  }
}

TEST_CASE("the next probe comes not sooner than after half of the interval, and not later than after one and a half") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const TimePoint now{1h + std::chrono::microseconds{random()}};
    const Duration interval{1 + random() % 20'000};
    const auto wait = next_probe(now, interval, random()) - now;
    REQUIRE(wait >= Clock::duration{interval} / 2);
    REQUIRE(wait < Clock::duration{interval} / 2 * 3 + 1us);
  }
  CHECK(next_probe(TimePoint{1h}, 0ms, 1) == TimePoint{1h});
}
