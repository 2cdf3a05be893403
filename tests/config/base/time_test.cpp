#include "config/base/time.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace std::chrono_literals;

TEST_CASE("all who wait for the same interval share its ticks, whenever they begin") {
  for (const auto begin : {TimePoint{1h}, TimePoint{1h + 3ms}, TimePoint{1h + 499ms}})
    CHECK(next_tick(begin, 1s) == TimePoint{1h + 1s});
  CHECK(next_tick(TimePoint{1h + 501ms}, 1s) == TimePoint{1h + 2s});
  CHECK(next_tick(TimePoint{1h + 2s}, 10s) == TimePoint{1h + 10s});  // a tick of the shorter interval, too
}

TEST_CASE("a tick is half an interval to one and a half away; a phase moves all ticks; without an interval it is now") {
  for (int ms = 0; ms < 3'000; ms += 7) {
    const TimePoint now{1h + Duration{ms}};
    const auto wait = next_tick(now, 1s) - now;
    CHECK(wait >= 500ms);
    CHECK(wait <= 1'500ms);
  }
  CHECK(next_tick(TimePoint{1h}, 1s, 300ms) == TimePoint{1h + 1'300ms});
  CHECK(next_tick(TimePoint{1h}, 0ms) == TimePoint{1h});
}
