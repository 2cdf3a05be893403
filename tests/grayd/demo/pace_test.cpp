#include "grayd/demo/pace.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("requests are due one after the other, and those of a pause are left out") {
  const TimePoint begin = TimePoint{} + Duration{1'000};
  demo::Pace pace(Duration{10});
  CHECK(pace.take(begin) == begin);
  CHECK(pace.take(begin) == begin + Duration{10});
  CHECK(pace.take(begin + Duration{1}) == begin + Duration{20});
  CHECK(pace.take(begin + Duration{500}) == begin + Duration{500});
  CHECK(pace.take(begin + Duration{500}) == begin + Duration{510});
}
