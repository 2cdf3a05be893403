#include "router/policy/slow_start.hpp"

#include <doctest/doctest.h>

namespace gray::policy {
namespace {

constexpr TimePoint after(int milliseconds) { return TimePoint{} + Duration{3'600'000 + milliseconds}; }

SlowStart begun(bool beside_older = true) {
  SlowStart start;
  start.begin(after(0), beside_older);
  return start;
}

/// In how many of `choices` made at `now` it takes part and is taken.
int turns(SlowStart& start, TimePoint now, std::size_t workers, int choices) {
  int taken = 0;
  for (int i = 0; i < choices; ++i) {
    if (!start.takes_part(now, workers)) continue;
    start.taken();
    ++taken;
  }
  return taken;
}

TEST_CASE("the share grows from a tenth to the whole in ten seconds") {
  const SlowStart start = begun();
  CHECK(start.share(after(0)) == 100);
  CHECK(start.share(after(1'000)) == 190);
  CHECK(start.share(after(5'000)) == 550);
  CHECK(start.share(after(9'999)) == 999);
  CHECK(start.share(after(10'000)) == 1'000);
  CHECK(start.warming(after(9'999)));
  CHECK_FALSE(start.warming(after(10'000)));
  CHECK(start.warm_at() == after(10'000));
  CHECK(start.share(after(-5)) == 100);
}

TEST_CASE("without older workers, or when they are gone, it has its full share") {
  const SlowStart alone = begun(false);
  CHECK_FALSE(alone.warming(after(0)));
  CHECK(alone.share(after(0)) == 1'000);
  CHECK_FALSE(alone.older(after(9'999)));
  CHECK(alone.older(after(10'000)));
  SlowStart left = begun();
  left.finish();
  CHECK_FALSE(left.warming(after(1)));
  CHECK(left.share(after(1)) == 1'000);
}

TEST_CASE("it takes part in as many choices as its share says") {
  for (const std::size_t workers : {2u, 3u, 10u}) {
    SlowStart start = begun();
    const auto fair = 10'000 / static_cast<int>(workers);
    CHECK(turns(start, after(0), workers, 10'000) == doctest::Approx(fair * 0.1).epsilon(0.02));
    CHECK(turns(start, after(5'000), workers, 10'000) == doctest::Approx(fair * 0.55).epsilon(0.02));
    CHECK(turns(start, after(9'990), workers, 10'000) == doctest::Approx(fair).epsilon(0.02));
  }
}

TEST_CASE("unused turns do not add up") {
  SlowStart start = begun();
  for (int i = 0; i < 1'000; ++i) (void)start.takes_part(after(0), 2);
  CHECK(turns(start, after(0), 2, 21) == 2);  // the kept one, and its share of the twenty others
}

TEST_CASE("a user who was sent to it once stays") {
  const SlowStart start = begun();
  for (std::uint64_t draw = 0; draw <= 0xffffffff; draw += 0x00ffffff) {
    bool met = false;
    for (int ms = 0; ms <= 10'000; ms += 50) {
      const bool now = start.takes_user(after(ms), static_cast<std::uint32_t>(draw));
      CHECK_FALSE((met && !now));
      met = now;
    }
    CHECK(met);
  }
  int users = 0;
  for (std::uint32_t i = 0; i < 1'000; ++i) users += start.takes_user(after(0), i * 4'294'967u) ? 1 : 0;
  CHECK(users == doctest::Approx(100).epsilon(0.02));
}

}  // namespace
}  // namespace gray::policy
