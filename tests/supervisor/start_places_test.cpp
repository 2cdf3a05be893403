#include "supervisor/start_places.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {
const TimePoint kNow{1h};
}

TEST_CASE("half of the processors may start workers at once, and one on the smallest machine") {
  for (const auto& [processors, places] : {std::pair{0u, 1u}, {1u, 1u}, {2u, 1u}, {3u, 1u}, {4u, 2u}, {64u, 32u}}) {
    StartPlaces start(processors);
    for (unsigned i = 0; i < places; ++i) {
      CHECK(start.free());
      start.occupy(kNow, kNow);
    }
    CHECK_FALSE(start.free());
  }
}

TEST_CASE("a slow start releases its place after a second, and next_free() says when") {
  StartPlaces start(2);
  CHECK_FALSE(start.next_free());
  start.occupy(kNow - 1s, kNow);
  CHECK(start.free());
  CHECK_FALSE(start.next_free());
  start.occupy(kNow - 300ms, kNow);
  CHECK_FALSE(start.free());
  CHECK(start.next_free() == kNow + 700ms);
}

TEST_CASE("more workers may be starting than there are places") {
  StartPlaces start(2);
  start.occupy(kNow - 100ms, kNow);
  start.occupy(kNow - 400ms, kNow);
  start.occupy(kNow - 200ms, kNow);
  CHECK_FALSE(start.free());
  CHECK(start.next_free() == kNow + 600ms);
}
