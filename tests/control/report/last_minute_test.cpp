#include "control/report/last_minute.hpp"

#include <doctest/doctest.h>

#include "config/shared/totals.hpp"

using namespace gray;
using namespace gray::control;

namespace {

constexpr std::uint32_t kOfWeb = 3, kMoved = 4;  // rows

/// A version whose clock and counters the test moves.
struct MinuteFixture {
  segment::Segment segment = segment::Segment::create();
  TimePoint now{Duration{1'000'000}};
  LastMinute minute{now, *segment, kOfWeb};

  void ask(unsigned requests, unsigned errors, Micros duration, std::uint32_t row = kOfWeb) {
    auto& counters = segment::writable_row(*segment, 1, 2, row);
    counters.requests += requests;
    counters.errors += errors;
    counters.duration.buckets[segment::bucket_of(duration)] += requests;
  }
  void pass(int samples, std::uint32_t row = kOfWeb) {
    for (int i = 0; i < samples; ++i) minute.sample(now += LastMinute::kInterval, *segment, row);
  }
  MinuteFigures figures(std::uint32_t row = kOfWeb) const { return minute.figures(now, *segment, row); }
};

}  // namespace

TEST_CASE_FIXTURE(MinuteFixture, "without requests all figures are 0") {
  CHECK(figures() == MinuteFigures{});
  pass(20);
  CHECK(figures() == MinuteFigures{});
}

TEST_CASE_FIXTURE(MinuteFixture, "what was before the first sample does not count") {
  ask(100, 100, Micros{900'000});
  minute = LastMinute(now, *segment, kOfWeb);
  CHECK(figures() == MinuteFigures{});
  ask(10, 1, Micros{2'000});
  now += Duration{2'000};
  CHECK(figures().requests_per_second == 5);
  CHECK(figures().error_ratio == 0.1);
  CHECK(figures().p99_ms < 3);
}

TEST_CASE_FIXTURE(MinuteFixture, "a version whose row was taken later counts from its first request") {
  ask(8, 8, Micros{10'000});
  minute = LastMinute(now, kOfWeb);
  now += Duration{4'000};
  CHECK(figures().requests_per_second == 2);
  CHECK(figures().error_ratio == 1);
}

TEST_CASE_FIXTURE(MinuteFixture, "a rate is not exaggerated by the first moments") {
  ask(3, 0, Micros{10});
  now += Duration{10};
  CHECK(figures().requests_per_second == 3);
}

TEST_CASE_FIXTURE(MinuteFixture, "the times are those of 50 and 99 % of the requests") {
  ask(95, 0, Micros{1'000});
  pass(1);
  ask(5, 0, Micros{250'000});
  const auto both = figures();
  CHECK(both.p50_ms == doctest::Approx(1).epsilon(0.07));
  CHECK(both.p99_ms == doctest::Approx(250).epsilon(0.07));
}

TEST_CASE_FIXTURE(MinuteFixture, "after a minute errors are forgotten, also without a new request") {
  ask(10, 10, Micros{1'000});
  pass(12);
  CHECK(figures().error_ratio == 1);
  CHECK(figures().requests_per_second == doctest::Approx(10.0 / 60));
  pass(1);
  CHECK(figures() == MinuteFigures{});
}

TEST_CASE_FIXTURE(MinuteFixture, "a steady rate is the same at any moment, and over routers that come and go") {
  for (int i = 0; i < 40; ++i) {
    ask(50, 5, Micros{1'000});
    pass(1);
    if (i == 20) segment.forget(1);  // its counts move to the base
    CHECK(figures().requests_per_second == doctest::Approx(10));
    CHECK(figures().error_ratio == doctest::Approx(0.1));
  }
}

TEST_CASE_FIXTURE(MinuteFixture, "late samples do not distort the rate") {
  for (int i = 0; i < 30; ++i) {
    ask(70, 0, Micros{1'000});
    minute.sample(now += Duration{7'000}, *segment, kOfWeb);
    CHECK(figures().requests_per_second == doctest::Approx(10));
  }
}

TEST_CASE_FIXTURE(MinuteFixture, "after a gap of minutes nothing old is shown as new") {
  ask(10, 10, Micros{1'000});
  now += Duration{180'000};
  CHECK(figures() == MinuteFigures{});
  pass(1);
  CHECK(figures() == MinuteFigures{});
  ask(1, 0, Micros{1'000});
  CHECK(figures().error_ratio == 0);
}

TEST_CASE_FIXTURE(MinuteFixture, "a row that was cleared begins anew") {
  ask(10, 10, Micros{1'000});
  pass(2);
  segment.clear_version(kOfWeb);
  CHECK(figures() == MinuteFigures{});
  ask(4, 1, Micros{1'000});
  CHECK(figures().error_ratio == 0.25);
  pass(1);
  CHECK(figures().error_ratio == 0.25);
  segment.clear_version(kOfWeb);
  ask(100, 0, Micros{1'000});  // more than before, but the errors are fewer
  CHECK(figures().error_ratio == 0);
}

TEST_CASE_FIXTURE(MinuteFixture, "a row with the same counts, but other times, was cleared") {
  ask(10, 0, Micros{1'000});
  pass(1);
  segment.clear_version(kOfWeb);
  ask(15, 0, Micros{8'000});
  CHECK(figures().p50_ms == doctest::Approx(8).epsilon(0.07));
  segment.clear_version(kOfWeb);
  ask(5, 0, Micros{1'000});
  ask(6, 0, Micros{8'000});
  CHECK(figures().requests_per_second == doctest::Approx(11.0));
}

TEST_CASE_FIXTURE(MinuteFixture, "a version that moved to another row begins anew") {
  ask(10, 10, Micros{1'000});
  pass(2);
  ask(20, 1, Micros{1'000}, kMoved);
  CHECK(figures(kMoved).error_ratio == 0.05);
  pass(1, kMoved);
  CHECK(figures(kMoved).error_ratio == 0.05);
}

TEST_CASE_FIXTURE(MinuteFixture, "more errors than requests, read at different moments, are all of them") {
  ask(1, 2, Micros{1'000});
  CHECK(figures().error_ratio == 1);
}
