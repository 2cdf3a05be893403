#include "router/engine/peak.hpp"

#include <doctest/doctest.h>

#include <random>

using gray::engine::Peak;

TEST_CASE("half of what exceeds 1.25 times the most in use is freed, rounded up") {
  Peak peak;
  peak.saw(40);
  CHECK(peak.trim(20, 20, 0) == 0);  // 40 were in use since the last time
  CHECK(peak.trim(20, 20, 0) == 8);  // 40 are there, 25 are wanted
  CHECK(peak.trim(20, 12, 0) == 4);
}

TEST_CASE("the floor stays, and never more is freed than is spare") {
  Peak peak;
  CHECK(peak.trim(0, 10, 10) == 0);
  CHECK(peak.trim(0, 11, 10) == 1);
  peak.saw(100);
  peak.trim(100, 0, 0);
  CHECK(peak.trim(100, 1, 0) == 0);
  CHECK(peak.trim(0, 0, 0) == 0);
}

TEST_CASE("a peak between two trims counts, although it is over") {
  Peak peak;
  peak.trim(0, 100, 0);
  peak.saw(80);
  peak.saw(3);
  CHECK(peak.trim(0, 100, 0) == 0);
  CHECK(peak.trim(0, 100, 0) == 50);
}

TEST_CASE("without use a pool of any size is at its floor after some trims, and one surplus is never kept") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 1'000; ++round) {
    const std::size_t floor = random() % 100;
    std::size_t spare = random();
    Peak peak;
    peak.saw(random());
    int trims = 0;
    while (spare > floor) {
      spare -= peak.trim(0, spare, floor);
      REQUIRE(++trims < 40);
    }
    CHECK(peak.trim(0, spare, floor) == 0);
  }
}
