#include "grayd/cells.hpp"

#include <doctest/doctest.h>

using namespace gray;
using master::Cells;

TEST_CASE("cells are handed out until none is left, and again after they were returned") {
  auto segment = segment::Segment::create();
  Cells cells(segment);
  for (std::uint32_t i = 0; i < segment::kWorkers; ++i) REQUIRE(cells.take());
  CHECK_FALSE(cells.take());
  cells.give(5);
  CHECK(cells.take() == 5u);
}

TEST_CASE("a cell is not reused while a router holds a socket or a tunnel to its old worker") {
  auto segment = segment::Segment::create();
  Cells cells(segment);
  for (std::uint32_t i = 0; i < segment::kWorkers; ++i) REQUIRE(cells.take());
  REQUIRE(segment->workers[5].sockets.acquire(0, 64));
  REQUIRE(segment->workers[5].tunnels.acquire(1, 64));
  CHECK(cells.open(5) == 2);
  cells.give(5);
  CHECK_FALSE(cells.take());
  segment->workers[5].sockets.release(0);
  CHECK_FALSE(cells.take());
  segment->workers[5].tunnels.release(1);
  CHECK(cells.take() == 5u);
}
