#include "config/shared/totals.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace gray::segment {
namespace {

TEST_CASE("buckets are adjacent, and the width of each is at most a sixteenth of its value") {
  std::int64_t lowest = 0;
  for (std::uint32_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    const std::int64_t highest = upper_bound(bucket).count();
    REQUIRE(highest >= lowest);
    REQUIRE(bucket_of(Micros{lowest}) == bucket);
    REQUIRE(bucket_of(Micros{highest}) == bucket);
    REQUIRE((highest - lowest) * 16 <= lowest + 15);
    lowest = highest + 1;
  }
  CHECK(lowest == std::int64_t{1} << 32);
}

TEST_CASE("a quantile is exact to a sixteenth") {
  std::uint64_t buckets[kHistogramBuckets] = {};
  CHECK(quantile(buckets, 0.5) == Micros{0});
  for (int value = 1; value <= 10'000; ++value) ++buckets[bucket_of(Micros{value})];
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = q * 10'000;
    const auto found = static_cast<double>(quantile(buckets, q).count());
    CHECK(found >= exact);
    CHECK(found <= exact * 17 / 16 + 1);
  }
  CHECK(quantile(buckets, 0) == Micros{1});
  CHECK(quantile(buckets, 1) == upper_bound(bucket_of(Micros{10'000})));
}

TEST_CASE("a quantile of one value is that value's bucket") {
  std::uint64_t buckets[kHistogramBuckets] = {};
  buckets[7] = 1;
  for (const double q : {0.0, 0.5, 1.0}) CHECK(quantile(buckets, q) == Micros{7});
}

TEST_CASE("the totals of a version are the sum of its own rows only") {
  // Zeroed memory is a valid empty segment.
  const std::unique_ptr<Layout, void (*)(void*)> layout{
      static_cast<Layout*>(std::aligned_alloc(64, (sizeof(Layout) + 63) / 64 * 64)), std::free};
  REQUIRE(layout);
  new (layout.get()) Layout{};
  segment::writable_row(*layout, 0, 0, 5).requests = 2;
  segment::writable_row(*layout, 3, 31, 5).requests = 3;
  layout->base[5].requests = 4;
  segment::writable_row(*layout, 0, 0, 6).requests = 100;
  layout->base[5].duration.buckets[7] = 2;
  layout->base[5].duration.sum = 14;
  CHECK(sum(*layout, 5).requests == 9);
  CHECK(sum(*layout, 5, &Row::duration).buckets[7] == 2);
  CHECK(sum(*layout, 5, &Row::duration).sum == 14);
  CHECK(sum(*layout, 6, &Row::duration).sum == 0);
}

}  // namespace
}  // namespace gray::segment
