#include "grayd/routers/respawn_delay.hpp"

#include <doctest/doctest.h>

using gray::Duration;
using gray::master::respawn_delay;

TEST_CASE("after the first young death the delay is zero, then it grows up to 5 s") {
  CHECK(respawn_delay(0) == Duration{0});
  CHECK(respawn_delay(1) == Duration{0});
  CHECK(respawn_delay(2) == Duration{100});
  CHECK(respawn_delay(3) == Duration{200});
  CHECK(respawn_delay(7) == Duration{3'200});
  CHECK(respawn_delay(8) == Duration{5'000});
  CHECK(respawn_delay(4'000'000'000u) == Duration{5'000});
}
