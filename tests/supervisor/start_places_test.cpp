#include "supervisor/start_places.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

const TimePoint kPlacesNow{1h};

/// Looks at a host with two processors, of whose time so many percent were used since the last look.
struct Looks {
  StartPlaces start{2};
  TimePoint now = kPlacesNow;
  CpuTime time{};
  std::uint64_t generation = 0;

  Looks() { start.look(time, now); }
  void look(std::uint64_t percent, Duration after = StartPlaces::kLook) {
    now += after;
    time.busy += percent;
    time.all += 100;
    REQUIRE(start.look_due(now));
    start.look(time, now);
  }
  /// Starts as many as may start now.
  std::size_t fill() {
    std::size_t count = 0;
    for (; start.free(now); ++count) start.occupy(++generation, now);
    return count;
  }
};

}  // namespace

TEST_CASE("half of the processors may start workers at once, and one on the smallest machine") {
  for (const auto& [processors, places] : {std::pair{0u, 1u}, {1u, 1u}, {2u, 1u}, {3u, 1u}, {4u, 2u}, {64u, 32u}}) {
    StartPlaces start(processors);
    for (unsigned i = 0; i < places; ++i) {
      CHECK(start.free(kPlacesNow));
      start.occupy(i, kPlacesNow);
    }
    CHECK_FALSE(start.free(kPlacesNow));
  }
}

TEST_CASE("a slow start releases its place after a second, and next() says when") {
  StartPlaces start(2);
  CHECK_FALSE(start.next());
  start.occupy(1, kPlacesNow - 1s);
  CHECK(start.free(kPlacesNow));
  CHECK_FALSE(start.next());
  start.occupy(2, kPlacesNow - 300ms);
  CHECK_FALSE(start.free(kPlacesNow));
  CHECK(start.next() == kPlacesNow + 700ms);
}

TEST_CASE("a worker that is ready releases its place at once") {
  StartPlaces start(2);
  start.occupy(1, kPlacesNow);
  start.release(1);
  CHECK(start.free(kPlacesNow));
  start.release(7);  // it had none
  CHECK(start.free(kPlacesNow));
}

TEST_CASE("more workers may be starting than there are places") {
  StartPlaces start(2);
  start.occupy(1, kPlacesNow - 100ms);
  start.occupy(2, kPlacesNow - 400ms);
  start.occupy(3, kPlacesNow - 200ms);
  CHECK_FALSE(start.free(kPlacesNow));
  CHECK(start.next() == kPlacesNow + 600ms);
}

TEST_CASE_FIXTURE(Looks, "while the processors are idle, each look doubles the number of programs that start") {
  CHECK(fill() == 1);
  CHECK(start.next() == now + StartPlaces::kLook);
  for (const std::size_t more : {2u, 4u, 8u, 16u, 32u}) {
    CHECK_FALSE(start.look_due(now + StartPlaces::kLook - 1ms));
    look(10);
    CHECK(fill() == more);
  }
  CHECK(now < kPlacesNow + StartPlaces::kBurst);
}

TEST_CASE_FIXTURE(Looks, "workers that are ready at once are started faster and faster") {
  for (std::size_t started = 1; started <= 64; started *= 2) {
    for (std::size_t i = 0; i < started; ++i) {
      REQUIRE(start.free(now));
      start.occupy(++generation, now);
      start.release(generation);
    }
    look(20);
    CHECK(start.free(now));
  }
}

TEST_CASE_FIXTURE(Looks, "never more than kMost for each processor start at once") {
  for (int i = 0; i < 10; ++i) {
    fill();
    look(0);
  }
  fill();
  CHECK(generation == 2 * StartPlaces::kMost);
  CHECK(start.next() == now + StartPlaces::kLook);
}

TEST_CASE_FIXTURE(Looks, "while half of the processor time is used, only the places count") {
  CHECK(fill() == 1);
  look(49);
  CHECK(fill() == 2);
  look(50);
  CHECK(fill() == 0);
  look(100);
  CHECK(fill() == 0);
  now = kPlacesNow + StartPlaces::kBurst + StartPlaces::kLook;  // both have had their second
  CHECK(fill() == 1);
}

TEST_CASE_FIXTURE(Looks, "what a look allowed ends with the next one") {
  CHECK(fill() == 1);
  look(0);
  look(80);
  CHECK(fill() == 0);
}

TEST_CASE_FIXTURE(Looks, "processor time that is unknown, went back or was looked at long ago allows nothing") {
  CHECK(fill() == 1);
  look(0, StartPlaces::kStale + 1ms);
  CHECK(fill() == 0);
  now += StartPlaces::kLook;
  start.look(std::nullopt, now);
  CHECK(fill() == 0);
  look(0);
  CHECK(fill() == 0);
  time = {};
  now += StartPlaces::kLook;
  start.look(time, now);
  CHECK(fill() == 0);
  look(0);
  CHECK(fill() == 1);  // none started since the last look
}
