#include "grayd/releases/minute_sampler.hpp"

#include <doctest/doctest.h>

#include "config/shared/totals.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct SamplerFixture {
  asio::io_context io;
  Settings settings = test::settings_of(test::web());
  segment::Segment segment = segment::Segment::create();
  control::Rows rows{segment};
  TimePoint now{Duration{1'000'000}};
  MinuteSampler sampler{{io, settings, segment, rows, Duration{1}}};

  SamplerFixture() { rows.take("web", "v1"); }
  void ask(const char* version, unsigned requests, unsigned errors) {
    auto& row = segment::writable_row(*segment, 0, 0, *rows.find("web", version));
    row.requests += requests;
    row.errors += errors;
    row.duration.buckets[segment::bucket_of(Micros{4'000})] += requests;
  }
  void sample() { sampler.sample(now += control::LastMinute::kInterval); }
  double errors_of(const char* version) const { return sampler.figures("web", version, now).error_ratio; }
};

}  // namespace

TEST_CASE_FIXTURE(SamplerFixture, "there are figures from the start on, and only of what comes after it") {
  ask("v1", 10, 10);
  CHECK(errors_of("v1") == 0);
  sampler.start(now);
  CHECK(errors_of("v1") == 0);
  ask("v1", 10, 5);
  CHECK(errors_of("v1") == 0.5);
  sample();
  sampler.start(now);  // again: no effect
  CHECK(errors_of("v1") == 0.5);
  for (int i = 0; i < 13; ++i) sample();
  CHECK(errors_of("v1") == 0);
}

TEST_CASE_FIXTURE(SamplerFixture, "a version that comes later is known from its first request on") {
  sampler.start(now);
  CHECK(sampler.figures("web", "v2", now) == control::MinuteFigures{});  // no row
  rows.take("web", "v2");
  ask("v2", 4, 1);
  CHECK(errors_of("v2") == 0.25);
  sample();
  CHECK(errors_of("v2") == 0.25);
}

TEST_CASE_FIXTURE(SamplerFixture, "a version that is gone is forgotten, also if it comes again") {
  sampler.start(now);
  ask("v1", 4, 4);
  sample();
  rows.keep([](const auto&, const auto&) { return false; });
  CHECK(errors_of("v1") == 0);
  sample();
  rows.take("web", "v1");
  CHECK(errors_of("v1") == 0);
  ask("v1", 2, 1);
  CHECK(errors_of("v1") == 0.5);
}

TEST_CASE_FIXTURE(SamplerFixture, "the timer samples until it is stopped") {
  sampler.start(Clock::now() - Duration{60'000});
  ask("v1", 4, 4);
  CHECK(io.run_one() == 1);
  CHECK(io.run_one() == 1);
  CHECK(sampler.figures("web", "v1", Clock::now()).error_ratio == 1);
  sampler.stop();
  while (io.run_one() > 0) {
  }
}
