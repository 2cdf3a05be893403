// On a terminal and without one it is tested by tests/integration/grayd_demo_test.py.
#include "grayd/demo/screen.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("the time since the start is minutes and seconds") {
  CHECK(demo::clock_text(Duration{0}) == "0:00");
  CHECK(demo::clock_text(Duration{65'900}) == "1:05");
  CHECK(demo::clock_text(Duration{3'600'000}) == "60:00");
}
