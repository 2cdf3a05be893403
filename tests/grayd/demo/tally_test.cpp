#include "grayd/demo/tally.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::demo;

namespace {

WallTime at_ms(int ms) { return WallTime(Duration{ms}); }

}  // namespace

TEST_CASE("answers are counted by version, and faults by request and user") {
  Tally tally;
  tally.add({"v1", 1, 200, Duration{5}, at_ms(10)});
  tally.add({"v2", 2, 500, Duration{5}, at_ms(30)});
  tally.add({"v2", 2, 500, Duration{5}, at_ms(20)});
  tally.add({"v2", 3, 200, Duration{301}, at_ms(40)});
  tally.add({"v2", 3, 200, Duration{300}, at_ms(50)});
  CHECK(tally.requests() == 5);
  CHECK(tally.of("v1").requests == 1);
  CHECK(tally.of("v1").failed.requests == 0);
  CHECK_FALSE(tally.of("v1").failed.first);
  const VersionTally& v2 = tally.of("v2");
  CHECK(v2.requests == 4);
  CHECK(v2.failed.requests == 2);
  CHECK(v2.failed.users.size() == 1);
  CHECK(v2.failed.first == at_ms(20));  // threads report in any order
  CHECK(v2.late.requests == 1);
  CHECK(v2.late.first == at_ms(40));
  CHECK(tally.of("v3").requests == 0);
}

TEST_CASE("faults can be forgotten, requests are not") {
  Tally tally;
  tally.add({"v2", 2, 503, Duration{400}, at_ms(30)});
  tally.forget_faults();
  CHECK(tally.of("v2").requests == 1);
  CHECK(tally.of("v2").failed.requests == 0);
  CHECK_FALSE(tally.of("v2").late.first);
}
