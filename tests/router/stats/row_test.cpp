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
  record(layout->rows[0][0][5], good);
  record(layout->rows[3][31][5], good);
  record(layout->base[5], {.status = 500});
  record(layout->rows[0][0][6], good);
  add(layout->rows[1][2][5].connects, 7);
  add(layout->rows[1][2][5].asset_retries, 3);
  add(layout->base[5].asset_retries, 1);
  add(layout->base[5].connect_errors, 2);
  add(layout->rows[1][2][5].in_flight, 4);
  add(layout->rows[2][2][5].waiting, 6);
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
  record(layout->rows[0][1][5], {.status = 200, .duration = Micros{100}});
  record(layout->rows[1][0][5], {.status = 200, .duration = Micros{100}});
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

}  // namespace
}  // namespace gray::stats
