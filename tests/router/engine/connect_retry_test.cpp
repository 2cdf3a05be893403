#include "router/engine/connect_retry.hpp"

#include <doctest/doctest.h>

using namespace gray;
using engine::ConnectRetry;

namespace {

/// The looks in that time at a listener that takes nobody, the longest pause in `longest`.
int looks(ConnectRetry& retry, TimePoint now, Duration within, Duration& longest) {
  int count = 0;
  for (const TimePoint end = now + within; now < end; ++count) {
    const TimePoint next = retry.next(now);
    longest = std::max(longest, std::chrono::duration_cast<Duration>(next - now));
    now = next;
  }
  return count;
}

}  // namespace

TEST_CASE("a listener that takes nobody is looked at ever more rarely, but several times a second") {
  ConnectRetry retry;
  const TimePoint start = TimePoint{} + Duration{5'000};
  retry.begin(start);
  Duration longest{0};
  CHECK(looks(retry, start, Duration{1'000}, longest) <= 16);
  CHECK(longest == ConnectRetry::kLongest);
  CHECK(looks(retry, start + Duration{1'000}, Duration{10'000}, longest) == 100);
}

TEST_CASE("a pause is at most half of the time that was waited for, and begins short again after a success") {
  ConnectRetry retry;
  const TimePoint start = TimePoint{} + Duration{5'000};
  retry.begin(start);
  CHECK(retry.next(start) == start + ConnectRetry::kShortest);
  CHECK(retry.next(start + Duration{60}) == start + Duration{90});
  retry.begin(start + Duration{900});
  CHECK(retry.next(start + Duration{900}) == start + Duration{900} + ConnectRetry::kShortest);
}
