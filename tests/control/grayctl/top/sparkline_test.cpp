#include "control/grayctl/top/sparkline.hpp"

#include <doctest/doctest.h>

namespace gray::control {

TEST_CASE("each bar is the mean of its share of the rates") {
  CHECK(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8, true) == "▁▂▃▄▅▆▇█");
  CHECK(sparkline({0, 0, 7, 7}, 2, true) == "▁█");
  CHECK(sparkline({0, 2, 0, 2}, 2, true) == "██");
  CHECK(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8, false) == "_.:-=+*#");
}

TEST_CASE("a trickle is not silence, and an unknown rate is a space") {
  CHECK(sparkline({0, 0.001, 100}, 3, true) == "▁▂█");
  CHECK(sparkline({-1, -1, 5, 5}, 4, true) == "  ██");
  CHECK(sparkline({-1, 4, 4, 4}, 2, true) == "██");
  CHECK(sparkline({0, 0}, 2, true) == "▁▁");
}

TEST_CASE("there are as many characters as asked for") {
  CHECK(sparkline({}, 3, true) == "   ");
  CHECK(sparkline({1, 1}, 0, true).empty());
  CHECK(sparkline({1, 2}, 4, false) == "==##");
}

}  // namespace gray::control
