#include "router/backends/waiting_threads.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::proxy;

TEST_CASE("each thread sees which others wait, and which of its own router is next") {
  segment::Segment segment = segment::Segment::create();
  WaitingThreads ours(*segment, {.router_slot = 0, .thread = 1}), before(*segment, {.router_slot = 0, .thread = 0}),
      behind(*segment, {.router_slot = 0, .thread = 2}), elsewhere(*segment, {.router_slot = 1, .thread = 1});
  CHECK_FALSE(ours.others(7));
  CHECK(ours.next(7) == -1);
  ours.announce(7);
  CHECK_FALSE(ours.others(7));
  CHECK(ours.next(7) == -1);
  CHECK(before.others(7));
  CHECK(before.next(7) == 1);
  before.announce(7);
  CHECK(ours.next(7) == 0);
  behind.announce(7);
  CHECK(ours.next(7) == 2);
  CHECK(ours.waits(7, 0));
  CHECK_FALSE(ours.waits(7, 3));
  CHECK_FALSE(ours.others(6));
  before.retract(7);
  behind.retract(7);
  elsewhere.announce(7);
  CHECK(ours.others(7));
  CHECK(ours.next(7) == -1);
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
