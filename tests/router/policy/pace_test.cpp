#include "router/policy/pace.hpp"

#include <doctest/doctest.h>

using namespace gray;
using policy::Pace;

namespace {

TimePoint pace_at(int ms) { return TimePoint{Duration{1'000'000 + ms}}; }

}  // namespace

TEST_CASE("a client that takes nothing is known after a tenth of a second, whatever it took before") {
  Pace pace;
  pace.begin(pace_at(0), 1'000'000);
  CHECK_FALSE(pace.rate(pace_at(99), 1'000'000, true).has_value());
  CHECK(pace.rate(pace_at(100), 1'000'000, true) == 0);
}

TEST_CASE("a sender in bursts has its mean rate") {
  Pace pace;
  pace.begin(pace_at(0), 0);
  std::uint64_t moved = 0;
  for (int ms = 250; ms <= 60'000; ms += 250) {
    if (ms % 1'000 == 250) moved += 100'000;
    const auto rate = pace.rate(pace_at(ms), moved, true);
    REQUIRE(rate.has_value());
    CHECK(*rate >= policy::kFairRate);
    if (ms >= 2'000) CHECK(*rate <= 200'000);
  }
}

TEST_CASE("a client that becomes slow is known within the window") {
  Pace pace;
  pace.begin(pace_at(0), 0);
  std::uint64_t moved = 0;
  for (int ms = 250; ms <= 5'000; ms += 250) CHECK(pace.rate(pace_at(ms), moved += 25'000, true) == 100'000);
  int known = 0;
  for (int ms = 5'250; known == 0; ms += 250) {
    if (*pace.rate(pace_at(ms), moved, true) < policy::kFairRate) known = ms;
  }
  CHECK(known - 5'000 <= policy::kPaceWindow.count());
}

TEST_CASE("a client that is not waited for has no pace") {
  Pace pace;
  pace.begin(pace_at(0), 0);
  CHECK_FALSE(pace.rate(pace_at(1'000), 0, false).has_value());
  CHECK_FALSE(pace.rate(pace_at(2'000), 0, true).has_value());
}
