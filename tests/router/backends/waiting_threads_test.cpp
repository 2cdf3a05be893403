#include "router/backends/waiting_threads.hpp"

#include <doctest/doctest.h>

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
  CHECK(ours.next(7, Waiting::fair) == 2);
  CHECK(ours.of(7, 0) == Waiting::fair);
  CHECK(ours.of(7, 3) == Waiting::none);
  CHECK(ours.others(6) == Waiting::none);
  before.retract(7, Waiting::fair);
  behind.retract(7, Waiting::fair);
  elsewhere.announce(7, Waiting::fair);
  CHECK(ours.others(7) == Waiting::fair);
  CHECK(ours.next(7, Waiting::fair) == -1);
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
