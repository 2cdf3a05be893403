#include "control/live/rate_history.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

constexpr TimePoint kBegin{std::chrono::seconds(1'000)};
TimePoint after(int ms) { return kBegin + Duration{ms}; }

}  // namespace

TEST_CASE("one reading has no rate, two have the one between them") {
  RateHistory history;
  CHECK_FALSE(history.recent(kBegin));
  history.read(kBegin, 500, 5);
  CHECK_FALSE(history.recent(kBegin));
  history.read(after(500), 510, 8);
  REQUIRE(history.recent(after(500)));
  CHECK(history.recent(after(500))->requests_per_second == doctest::Approx(20));
  CHECK(history.recent(after(500))->error_ratio == doctest::Approx(0.3));
  CHECK(history.recent(after(500))->errors == doctest::Approx(3));
}

TEST_CASE("the seconds are those before the current one, and unknown ones are not zero") {
  RateHistory history;
  history.read(kBegin, 0, 0);
  history.read(after(1'000), 4, 0);
  history.read(after(2'000), 4, 0);
  history.read(after(3'500), 13, 0);
  const auto seconds = history.seconds(after(3'500));
  REQUIRE(seconds.size() == RateHistory::kSeconds);
  CHECK(seconds[56] == -1);
  CHECK(seconds[57] == doctest::Approx(4));
  CHECK(seconds[58] == doctest::Approx(0));
  CHECK(seconds[59] == doctest::Approx(6));
}

TEST_CASE("a long time between two readings is spread evenly, and what is older than 60 s is forgotten") {
  RateHistory history;
  history.read(kBegin, 0, 0);
  history.read(after(100'000), 1'000, 100);
  const auto seconds = history.seconds(after(100'000));
  for (const double rate : seconds) CHECK(rate == doctest::Approx(10));
  CHECK(history.recent(after(100'000))->error_ratio == doctest::Approx(0.1));
  CHECK_FALSE(history.recent(after(120'000)));
  CHECK(history.seconds(after(200'000)).front() == -1);
}

TEST_CASE("only the last 10 s are recent") {
  RateHistory history;
  history.read(kBegin, 0, 0);
  history.read(after(1'000), 100, 100);
  for (int second = 2; second <= 20; ++second)
    history.read(after(1'000 * second), 100 + static_cast<std::uint64_t>(second), 100);
  CHECK(history.recent(after(20'000))->error_ratio == 0);
  CHECK(history.recent(after(20'000))->requests_per_second == doctest::Approx(1).epsilon(0.2));
}

TEST_CASE("a smaller counter was reset, and a clock that stands still changes nothing") {
  RateHistory history;
  history.read(kBegin, 1'000, 900);
  history.read(after(1'000), 10, 1);
  CHECK(history.recent(after(1'000))->requests_per_second == doctest::Approx(10));
  CHECK(history.recent(after(1'000))->error_ratio == doctest::Approx(0.1));
  history.read(after(1'000), 20, 1);
  history.read(after(2'000), 20, 1);
  CHECK(history.recent(after(2'000))->requests_per_second == doctest::Approx(10));
}

}  // namespace gray::control
