#include "router/policy/rate_window.hpp"

#include <doctest/doctest.h>

using namespace gray;
using policy::RateWindow;

namespace {

constexpr Duration kHalf{1'000};
TimePoint at_ms(int ms) { return TimePoint{Duration{1'000'000 + ms}}; }

}  // namespace

TEST_CASE("the whole window is its last two complete halves, the recent one has the current half") {
  RateWindow window(at_ms(0), 100);
  CHECK_FALSE(window.sample(at_ms(500), 200, true, kHalf));
  CHECK(window.recent().bytes == 100);
  CHECK(window.recent().waited == Duration{500});
  CHECK(window.whole().waited == Duration{0});
  CHECK(window.sample(at_ms(1'000), 300, true, kHalf));
  CHECK(window.whole().waited == Duration{0});
  CHECK_FALSE(window.sample(at_ms(1'600), 350, true, kHalf));
  CHECK(window.recent().bytes == 250);
  CHECK(window.recent().waited == Duration{1'600});
  CHECK(window.sample(at_ms(2'000), 350, true, kHalf));
  CHECK(window.whole().bytes == 250);
  CHECK(window.whole().waited == Duration{2'000});
  CHECK(window.sample(at_ms(3'000), 350, true, kHalf));
  CHECK(window.whole().bytes == 50);
}

TEST_CASE("only time that was waited at both of its ends counts, but all bytes do") {
  RateWindow window(at_ms(0), 0);
  window.sample(at_ms(400), 10, false, kHalf);
  window.sample(at_ms(600), 20, true, kHalf);
  CHECK(window.recent().waited == Duration{0});
  window.sample(at_ms(700), 30, true, kHalf);
  CHECK(window.recent().waited == Duration{100});
  CHECK(window.recent().bytes == 30);
}
