#include "router/upstream/codel.hpp"

#include <doctest/doctest.h>

namespace gray::upstream {
namespace {

constexpr Micros kTarget{5'000};
constexpr Micros kShort{4'000};
constexpr Micros kLong{50'000};

TimePoint passed_at(int ms) { return TimePoint{} + Duration{3'600'000 + ms}; }

/// A delay each 10 ms, from `from` until before `to`.
void pass(Codel& codel, Micros delay, int from, int to) {
  for (int ms = from; ms < to; ms += 10) codel.passed(delay, passed_at(ms), kTarget);
}

TEST_CASE("the target is twice the time between two free sockets, and at least 5 ms") {
  CHECK(Codel::target(Micros{20'000}, 8) == Micros{5'000});
  CHECK(Codel::target(Micros{20'000}, 1) == Micros{40'000});
  CHECK(Codel::target(Micros{1'000'000}, 8) == Micros{250'000});
  CHECK(Codel::target(Micros{0}, 8) == Micros{5'000});
  CHECK(Codel::target(Micros{20'000}, 0) == Micros{5'000});
}

TEST_CASE("a queue is standing after an interval in which no delay was short") {
  Codel codel;
  pass(codel, kLong, 0, 101);
  CHECK_FALSE(codel.standing());
  codel.passed(kLong, passed_at(110), kTarget);
  CHECK(codel.standing());
}

TEST_CASE("one short delay in an interval is enough: it was only a burst") {
  Codel codel;
  pass(codel, kLong, 0, 50);
  codel.passed(kShort, passed_at(50), kTarget);
  pass(codel, kLong, 60, 111);
  CHECK_FALSE(codel.standing());
  pass(codel, kLong, 120, 221);
  CHECK(codel.standing());
}

TEST_CASE("a standing queue stays so until an interval with a short delay has ended") {
  Codel codel;
  pass(codel, kLong, 0, 111);
  REQUIRE(codel.standing());
  codel.passed(kShort, passed_at(150), kTarget);
  CHECK(codel.standing());
  codel.passed(kLong, passed_at(220), kTarget);
  CHECK_FALSE(codel.standing());
}

TEST_CASE("what was long ago says nothing about a queue that has been empty since") {
  Codel codel;
  pass(codel, kLong, 0, 111);
  REQUIRE(codel.standing());
  codel.passed(Micros{0}, passed_at(60'000), kTarget);
  CHECK_FALSE(codel.standing());
}

TEST_CASE("a delay as long as the target is a short one") {
  Codel codel;
  pass(codel, kTarget, 0, 111);
  CHECK_FALSE(codel.standing());
}

TEST_CASE("sockets that become free more rarely than once in an interval") {
  Codel codel;
  for (int ms = 0; ms <= 2'000; ms += 500) codel.passed(Micros{800'000}, passed_at(ms), Micros{250'000});
  CHECK(codel.standing());
}

}  // namespace
}  // namespace gray::upstream
