#include "control/judge/memory_trend.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"

namespace gray::control {
namespace {

struct TrendFixture {
  MemoryTrend trend;
  TimePoint now{std::chrono::hours{1}};

  void add(std::uint64_t processes, double requests, double memory) {
    now += MemoryTrend::kInterval;
    trend.add(now, {.processes = processes, .requests = requests, .memory = memory});
  }
};

TEST_CASE_FIXTURE(TrendFixture, "an hour is kept, and no more samples than its bound") {
  for (int i = 0; i < 500; ++i) add(1, i, i);
  CHECK(trend.samples().size() == MemoryTrend::kSamples);
  CHECK(trend.samples().back().memory == 499);
  now += std::chrono::minutes{30};
  add(1, 500, 500);
  CHECK(trend.samples().front().at >= now - MemoryTrend::kWindow);
  CHECK(trend.samples().size() < MemoryTrend::kSamples);
  add(0, 0, 0);  // no process
  CHECK(trend.samples().back().memory == 500);
}

TEST_CASE_FIXTURE(TrendFixture, "the slope is what 1,000 requests add") {
  CHECK_FALSE(trend.slope());
  for (int i = 0; i < 3; ++i) add(1, 2'000 * i, 1e6 + 4'000 * i);
  CHECK_FALSE(trend.slope());  // too few samples
  add(1, 6'000, 1e6 + 12'000);
  REQUIRE(trend.slope());
  CHECK(*trend.slope() == doctest::Approx(2'000));
}

TEST_CASE_FIXTURE(TrendFixture, "too few requests have no slope") {
  for (int i = 0; i < 10; ++i) add(1, 100 * i, 1e6 + 1e6 * i);
  CHECK_FALSE(trend.slope());
}

TEST_CASE_FIXTURE(TrendFixture, "only the processes that run now count, and noise is averaged") {
  for (int i = 0; i < 10; ++i) add(1, 1'000 * i, 9e6 + 1e6 * i);
  for (int i = 0; i < 20; ++i) add(2, 1'000 * i, 1e6 + 500 * i + (i % 2 ? 300 : -300));
  REQUIRE(trend.slope());
  CHECK(*trend.slope() == doctest::Approx(500).epsilon(0.1));
}

TEST_CASE_FIXTURE(TrendFixture, "the samples are handed over") {
  for (int i = 0; i < 5; ++i) add(7, 1'000 * i, 1'000 * i);
  const auto read = unarchived<MemoryTrend>(archived_text(trend));
  CHECK(read.samples().size() == 5);
  CHECK(read.samples()[2].at == trend.samples()[2].at);
  CHECK(read.slope() == trend.slope());
}

}  // namespace
}  // namespace gray::control
