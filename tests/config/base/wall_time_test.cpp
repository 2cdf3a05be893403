#include "config/base/wall_time.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace std::chrono_literals;

TEST_CASE("a time is UTC with milliseconds, and comes back") {
  const WallTime time(1'795'452'285'042ms);
  CHECK(rfc3339(time) == "2026-11-23T16:44:45.042Z");
  CHECK(wall_time_from("2026-11-23T16:44:45.042Z") == time);
  CHECK(rfc3339(WallTime{}) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(WallTime(-1ms)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("only text in the form of rfc3339() is a time") {
  for (const auto* wrong : {"", "2026-11-23", "2026-11-23T16:44:45Z", "2026-11-23T16:44:45.042", "yesterday",
                            "2026-11-23T16:44:45.042Z and more"}) {
    CAPTURE(wrong);
    CHECK_FALSE(wall_time_from(wrong));
  }
}
