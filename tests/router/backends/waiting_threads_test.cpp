#include "router/backends/waiting_threads.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace gray;
using namespace gray::proxy;

TEST_CASE("each thread sees which others wait, and which of its own router is next") {
  segment::Segment segment = segment::Segment::create();
  WaitingThreads ours(*segment, {.router_slot = 0, .thread = 1}), before(*segment, {.router_slot = 0, .thread = 0}),
      behind(*segment, {.router_slot = 0, .thread = 2}), elsewhere(*segment, {.router_slot = 1, .thread = 1});
  CHECK(ours.others(7) == Waiting::none);
  CHECK(ours.next(7, Waiting::fair) == -1);
  ours.announce(7, Waiting::fair);
  CHECK(ours.others(7) == Waiting::none);
  CHECK(ours.next(7, Waiting::fair) == -1);
  CHECK(before.others(7) == Waiting::fair);
  CHECK(before.next(7, Waiting::fair) == 1);
  before.announce(7, Waiting::fair);
  CHECK(ours.next(7, Waiting::fair) == 0);
  behind.announce(7, Waiting::fair);
  CHECK(ours.next(7, Waiting::fair) == 0);
  CHECK(ours.next(7, Waiting::slow) == -1);
  CHECK(ours.of(7, 0) == Waiting::fair);
  CHECK(ours.of(7, 3) == Waiting::none);
  CHECK(ours.others(6) == Waiting::none);
  before.retract(7, Waiting::fair);
  behind.retract(7, Waiting::fair);
  elsewhere.announce(7, Waiting::fair);
  CHECK(ours.others(7) == Waiting::fair);
  CHECK(ours.next(7, Waiting::fair) == -1);
}

TEST_CASE("the next thread is the one whose oldest request has waited longest, of any that have announced one") {
  segment::Segment segment = segment::Segment::create();
  WaitingThreads ours(*segment, {.router_slot = 0, .thread = 1});
  const auto since = [](int ms) { return TimePoint{} + Duration{ms}; };
  CHECK_FALSE(ours.oldest_elsewhere(7));
  const auto waits = [&](std::uint32_t router_slot, std::uint32_t thread, int ms) {
    WaitingThreads other(*segment, {.router_slot = router_slot, .thread = thread});
    other.publish_oldest(7, since(ms));
    other.announce(7, Waiting::fair);
  };
  waits(0, 1, 10);
  CHECK_FALSE(ours.oldest_elsewhere(7));
  waits(0, 0, 300);
  waits(0, 2, 100);
  waits(0, 5, 200);
  CHECK(ours.next(7, Waiting::fair) == 2);
  CHECK(ours.oldest_elsewhere(7) == since(100));
  waits(1, 1, 50);
  CHECK(ours.next(7, Waiting::fair) == 2);
  CHECK(ours.oldest_elsewhere(7) == since(50));
  WaitingThreads(*segment, {.router_slot = 0, .thread = 2}).publish_oldest(7, std::nullopt);
  CHECK(ours.next(7, Waiting::fair) == 5);
}

TEST_CASE("all threads shed until the time that one of them has announced") {
  segment::Segment segment = segment::Segment::create();
  WaitingThreads one(*segment, {.router_slot = 0, .thread = 0}), other(*segment, {.router_slot = 1, .thread = 1});
  const TimePoint now = TimePoint{} + Duration{1'000};
  CHECK_FALSE(other.shedding(3, now));
  one.announce_shedding(3, now + Duration{200});
  CHECK(other.shedding(3, now + Duration{199}));
  CHECK_FALSE(other.shedding(3, now + Duration{200}));
  CHECK_FALSE(other.shedding(4, now));
}

TEST_CASE("the places of a queue are counted across threads and routers") {
  segment::Segment segment = segment::Segment::create();
  WaitingThreads ours(*segment, {.router_slot = 0, .thread = 1}), elsewhere(*segment, {.router_slot = 1, .thread = 0});
  CHECK(ours.take_place(3, 2));
  CHECK(elsewhere.take_place(3, 2));
  CHECK_FALSE(ours.take_place(3, 2));
  CHECK(ours.places_taken(3) == 2);
  elsewhere.leave_place(3);
  CHECK(ours.take_place(3, 2));
}
