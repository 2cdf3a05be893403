#include "control/judge/growth_curve.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"

namespace gray::control {
namespace {

TEST_CASE("growth counts from the first measurement of a process, and the largest of all stays") {
  GrowthCurve curve;
  CHECK_FALSE(curve.of(1e9));
  curve.record({1, 100, 1'000, 10});
  curve.record({1, 1'000, 1'500, 12});
  curve.record({1, 1'001, 1'400, 11});  // the same point
  CHECK_FALSE(curve.of(50));
  CHECK(curve.of(100)->memory == 0);
  CHECK(curve.of(1'000)->memory == 500);
  CHECK(curve.of(1e6)->files == 2);
  curve.record({2, 10, 5'000, 1});  // a new process is compared with itself
  curve.record({2, 1'000, 5'100, 1});
  CHECK(curve.of(10)->memory == 0);
  CHECK(curve.of(1'000)->memory == 500);
  curve.record({0, 9'999, 9'999, 9});  // none runs
  CHECK(curve.of(1e6)->memory == 500);
}

TEST_CASE("the curve is handed over") {
  GrowthCurve curve;
  curve.record({1, 100, 1'000, 10});
  curve.record({1, 900, 2'000, 10});
  auto read = unarchived<GrowthCurve>(archived_text(curve));
  CHECK(read.of(900)->memory == 1'000);
  read.record({1, 950, 4'000, 10});  // still the same process
  CHECK(read.of(1'000)->memory == 3'000);
}

}  // namespace
}  // namespace gray::control
