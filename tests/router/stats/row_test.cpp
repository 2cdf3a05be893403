#include "router/stats/row.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "config/shared/totals.hpp"

namespace gray::stats {
namespace {

using segment::bucket_of;
using segment::Decision;
using segment::HistogramTotals;
using segment::quantile;
using segment::Reason;
using segment::Totals;
using segment::upper_bound;

/// Zeroed memory is a valid empty segment; untouched rows of it cost nothing.
std::unique_ptr<segment::Layout, void (*)(void*)> empty_layout() {
  void* memory = std::aligned_alloc(64, (sizeof(segment::Layout) + 63) / 64 * 64);
  REQUIRE(memory);
  return {new (memory) segment::Layout{}, std::free};
}

TEST_CASE("an outcome is counted once, in every column that it concerns") {
  segment::Row row{};
  record(row, {.status = 200,
               .decision = Decision::bucket,
               .retries = 1,
               .bytes_in = 10,
               .bytes_out = 20,
               .duration = Micros{500}});
  record(row, {.status = 502, .reason = Reason::upstream_closed, .decision = Decision::stable, .bytes_out = 5});
  CHECK(row.requests == 2);
  CHECK(row.errors == 1);
  CHECK(row.status_class[2] == 1);
  CHECK(row.status_class[5] == 1);
  CHECK(row.reasons[static_cast<int>(Reason::none)] == 1);
  CHECK(row.reasons[static_cast<int>(Reason::upstream_closed)] == 1);
  CHECK(row.decisions[static_cast<int>(Decision::bucket)] == 1);
  CHECK(row.decisions[static_cast<int>(Decision::stable)] == 1);
  CHECK(row.retries == 1);
  CHECK(row.bytes_in == 10);
  CHECK(row.bytes_out == 25);
  CHECK(row.duration.sum == 500);
  CHECK(row.duration.buckets[bucket_of(Micros{500})] == 1);
}

TEST_CASE("an answer that could not be sent, or with a strange status, is of class 0") {
  segment::Row row{};
  for (const int status : {0, 99, 600, -1}) record(row, {.status = status, .reason = Reason::client_gone});
  CHECK(row.status_class[0] == 4);
  CHECK(row.requests == 4);
}

TEST_CASE("errors are 5xx of the version, and 502 and 504 because of it") {
  CHECK(is_error(500, Reason::none));
  CHECK(is_error(503, Reason::none));
  CHECK(is_error(500, Reason::client_gone));
  CHECK(is_error(502, Reason::connect_failed));
  CHECK(is_error(502, Reason::upstream_closed));
  CHECK(is_error(502, Reason::upstream_invalid));
  CHECK(is_error(504, Reason::connect_timeout));
  CHECK(is_error(504, Reason::response_timeout));
  CHECK_FALSE(is_error(200, Reason::none));
  CHECK_FALSE(is_error(499, Reason::none));
  CHECK_FALSE(is_error(0, Reason::client_gone));
  CHECK_FALSE(is_error(501, Reason::unsupported));
  CHECK_FALSE(is_error(505, Reason::version_unsupported));
  for (const auto reason : {Reason::version_down, Reason::queue_full, Reason::queue_timeout, Reason::overloaded,
                            Reason::draining, Reason::held, Reason::maintenance}) {
    CHECK_FALSE(is_error(503, reason));
  }
}

TEST_CASE("a failed attempt is an error of the version, but not a request") {
  segment::Row row{};
  record_failed_attempt(row);
  CHECK(row.errors == 1);
  CHECK(row.requests == 0);
}

TEST_CASE("a gauge goes up and down") {
  std::atomic<std::uint32_t> gauge{0};
  add(gauge, 3);
  add(gauge, -1);
  CHECK(gauge == 2);
}

TEST_CASE("values out of range go into the outermost buckets") {
  CHECK(bucket_of(Micros{-5}) == 0);
  CHECK(bucket_of(Micros{std::int64_t{1} << 32}) == segment::kHistogramBuckets - 1);
  CHECK(bucket_of(Micros::max()) == segment::kHistogramBuckets - 1);
  segment::Histogram histogram{};
  record(histogram, Micros{-5});
  CHECK(histogram.sum == 0);
}

TEST_CASE("totals are the sum over slots, threads and the base, of one version only") {
  const auto layout = empty_layout();
  const Outcome good{.status = 204, .decision = Decision::param, .retries = 1, .bytes_in = 2, .bytes_out = 3};
  record(segment::writable_row(*layout, 0, 0, 5), good);
  record(segment::writable_row(*layout, 3, 31, 5), good);
  record(layout->base[5], {.status = 500});
  record(segment::writable_row(*layout, 0, 0, 6), good);
  add(segment::writable_row(*layout, 1, 2, 5).connects, 7);
  add(segment::writable_row(*layout, 1, 2, 5).asset_retries, 3);
  add(layout->base[5].asset_retries, 1);
  add(layout->base[5].connect_errors, 2);
  add(segment::writable_row(*layout, 1, 2, 5).in_flight, 4);
  add(segment::writable_row(*layout, 2, 2, 5).waiting, 6);
  const Totals totals = sum(*layout, 5);
  CHECK(totals.requests == 3);
  CHECK(totals.errors == 1);
  CHECK(totals.retries == 2);
  CHECK(totals.asset_retries == 4);
  CHECK(totals.bytes_in == 4);
  CHECK(totals.bytes_out == 6);
  CHECK(totals.status_class[2] == 2);
  CHECK(totals.status_class[5] == 1);
  CHECK(totals.reasons[static_cast<int>(Reason::none)] == 3);
  CHECK(totals.decisions[static_cast<int>(Decision::param)] == 2);
  CHECK(totals.connects == 7);
  CHECK(totals.connect_errors == 2);
  CHECK(totals.in_flight == 4);
  CHECK(totals.waiting == 6);
}

TEST_CASE("a histogram is summed over slots, threads and the base, each kind by itself") {
  const auto layout = empty_layout();
  record(segment::writable_row(*layout, 0, 1, 5), {.status = 200, .duration = Micros{100}});
  record(segment::writable_row(*layout, 1, 0, 5), {.status = 200, .duration = Micros{100}});
  record(layout->base[5], {.status = 200, .duration = Micros{3000}});
  record(layout->base[5].waited, Micros{40});
  const HistogramTotals durations = sum(*layout, 5, &segment::Row::duration);
  CHECK(durations.sum == 3200);
  CHECK(durations.buckets[bucket_of(Micros{100})] == 2);
  CHECK(durations.buckets[bucket_of(Micros{3000})] == 1);
  CHECK(quantile(durations.buckets, 0.5) == upper_bound(bucket_of(Micros{100})));
  CHECK(sum(*layout, 5, &segment::Row::waited).sum == 40);
  CHECK(sum(*layout, 6, &segment::Row::duration).sum == 0);
}

TEST_CASE("a failing user is counted once for each version and kind of failure") {
  const auto layout = empty_layout();
  segment::Row& row = segment::writable_row(*layout, 0, 0, 4);
  const TimePoint now{std::chrono::seconds{5'000}};
  const auto fail = [&](std::uint64_t user, Reason reason, TimePoint at) {
    record_failing_user(*layout, row, 4, user, reason, at);
  };
  fail(77, Reason::none, now);
  fail(77, Reason::none, now + std::chrono::seconds{30});
  CHECK(row.failing_users == 1);
  fail(77, Reason::upstream_closed, now);
  fail(77, Reason::response_timeout, now);
  fail(77, Reason::response_timeout, now);
  CHECK(row.failing_users == 1);
  CHECK(row.reset_users == 1);
  CHECK(row.timed_out_users == 1);
  fail(78, Reason::none, now);
  fail(77, Reason::none, now + segment::RecentUsers::kWindow);
  CHECK(row.failing_users == 3);
  segment::Row& other = segment::writable_row(*layout, 0, 0, 5);
  record_failing_user(*layout, other, 5, 77, Reason::none, now);
  CHECK(other.failing_users == 1);
  CHECK(row.users_uncounted == 0);
}

TEST_CASE("more failing users than the table holds are reported as not counted") {
  const auto layout = empty_layout();
  segment::Row& row = segment::writable_row(*layout, 0, 0, 0);
  const TimePoint now{std::chrono::seconds{5'000}};
  for (std::uint64_t user = 0; user < 2 * segment::RecentUsers::kPlaces; ++user)
    record_failing_user(*layout, row, 0, user, Reason::none, now);
  CHECK(row.users_uncounted > 0);
  CHECK(row.failing_users <= segment::RecentUsers::kPlaces);
  CHECK(row.failing_users + row.users_uncounted == 2 * segment::RecentUsers::kPlaces);
}

TEST_CASE("a worker gives one sample in each sample time, whichever thread takes it") {
  const auto layout = empty_layout();
  segment::WorkerCell& worker = layout->workers[3];
  segment::Row& row = segment::writable_row(*layout, 0, 0, 2);
  segment::Row& other_thread = segment::writable_row(*layout, 0, 1, 2);
  const TimePoint begin{std::chrono::seconds{10}};
  record_sample(worker, row, Micros{100}, begin);
  record_sample(worker, row, Micros{900}, begin + Duration{99});
  record_sample(worker, other_thread, Micros{900}, begin + Duration{99});
  record_sample(worker, other_thread, Micros{300}, begin + Duration{100});
  const auto samples = segment::sum_samples(*layout, 2);
  CHECK(samples[bucket_of(Micros{100})] == 0);  // rows without a request are not read
  row.requests = other_thread.requests = 1;
  const auto all = segment::sum_samples(*layout, 2);
  CHECK(all[bucket_of(Micros{100})] == 1);
  CHECK(all[bucket_of(Micros{300})] == 1);
  CHECK(all[bucket_of(Micros{900})] == 0);
}

TEST_CASE("distinct users are estimated, up to a limit") {
  std::uint64_t mix = 1;
  for (const std::uint64_t users : {0u, 1u, 10u, 1'000u, 10'000u}) {
    const auto layout = empty_layout();
    for (std::uint64_t i = 0; i < users; ++i) {
      std::uint64_t user = ++mix * 0x9e3779b97f4a7c15ull;
      user = (user ^ (user >> 29)) * 0xbf58476d1ce4e5b9ull;
      user ^= user >> 32;
      for (int repeat = 0; repeat < 3; ++repeat) mark_user(layout->versions[1], user);
    }
    const auto estimate = static_cast<double>(segment::distinct_users(layout->versions[1]));
    CHECK(estimate == doctest::Approx(static_cast<double>(users)).epsilon(0.06));
  }
  const auto layout = empty_layout();
  for (auto& word : layout->versions[1].users) word = ~std::uint64_t{0};
  CHECK(segment::distinct_users(layout->versions[1]) == segment::kMostUsers);
}

}  // namespace
}  // namespace gray::stats
