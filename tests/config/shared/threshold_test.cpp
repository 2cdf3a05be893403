#include <doctest/doctest.h>

#include <cmath>

#include "config/shared/routing_table.hpp"

using gray::Threshold;

TEST_CASE("half of the users is exactly half of all hashes") {
  CHECK(Threshold::of_percent(50).below == 1ull << 63);
  CHECK(Threshold::of_percent(25).below == 1ull << 62);
  CHECK(Threshold::of_percent(12.5).below == 1ull << 61);
}

TEST_CASE("0 and 100 percent are exact") {
  CHECK(!Threshold::of_percent(0).takes(0));
  CHECK(!Threshold::of_percent(-1).takes(0));
  CHECK(!Threshold::of_percent(std::nan("")).takes(0));
  CHECK(Threshold::of_percent(100).takes(~0ull));
  CHECK(Threshold::of_percent(99.99999999).takes(~0ull));
  CHECK(!Threshold::of_percent(99.9999999).takes(~0ull));
}

TEST_CASE("a step of 1e-7 percent makes a difference, and a higher weight never removes a user") {
  CHECK(Threshold::of_percent(1e-7).below == 18'446'744'073ull);
  std::uint64_t before = 0;
  for (int step = 1; step <= 9'999; ++step) {
    const std::uint64_t below = Threshold::of_percent(step / 100.0).below;
    REQUIRE(below > before);
    before = below;
  }
}

TEST_CASE("a weight is the exact quotient, rounded down") {
  // 5 percent: floor(2^64 / 20).
  CHECK(Threshold::of_percent(5).below == 922'337'203'685'477'580ull);
  CHECK(Threshold::of_percent(5).takes(922'337'203'685'477'579ull));
  CHECK(!Threshold::of_percent(5).takes(922'337'203'685'477'580ull));
}
