#include "router/stats/line_clock.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace gray::stats {
namespace {

std::string text_of(LineClock& clock, std::int64_t micros) {
  char out[kTimeText];
  clock.write(WallTime(Micros{micros}), out);
  return std::string(out, kTimeText);
}

TEST_CASE("a time is RFC 3339 in UTC with microseconds") {
  LineClock clock;
  CHECK(text_of(clock, 0) == "1970-01-01T00:00:00.000000Z");
  CHECK(text_of(clock, 1'795'448'645'123'456) == "2026-11-23T15:44:05.123456Z");
  CHECK(text_of(clock, 1'709'251'199'999'999) == "2024-02-29T23:59:59.999999Z");
  CHECK(text_of(clock, 1'709'251'200'000'000) == "2024-03-01T00:00:00.000000Z");
}

TEST_CASE("times of the same second differ in the fraction only, and a clock that goes back is followed") {
  LineClock clock;
  CHECK(text_of(clock, 5'000'001) == "1970-01-01T00:00:05.000001Z");
  CHECK(text_of(clock, 5'999'999) == "1970-01-01T00:00:05.999999Z");
  CHECK(text_of(clock, 4'999'999) == "1970-01-01T00:00:04.999999Z");
  CHECK(text_of(clock, 5'000'000) == "1970-01-01T00:00:05.000000Z");
}

TEST_CASE("times outside of the years 1970 to 9999 are written as the nearest time inside") {
  LineClock clock;
  CHECK(text_of(clock, -1) == "1970-01-01T00:00:00.000000Z");
  CHECK(text_of(clock, std::numeric_limits<std::int64_t>::min()) == "1970-01-01T00:00:00.000000Z");
  CHECK(text_of(clock, std::numeric_limits<std::int64_t>::max()) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("the text of a second never contains parts of the previous one") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  LineClock kept;
  for (int i = 0; i < 2'000; ++i) {
    const auto micros = static_cast<std::int64_t>(random() % 100'000'000);
    LineClock fresh;
    REQUIRE(text_of(kept, micros) == text_of(fresh, micros));
  }
}

}  // namespace
}  // namespace gray::stats
