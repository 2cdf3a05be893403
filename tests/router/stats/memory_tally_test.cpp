#include "router/stats/memory_tally.hpp"

#include <doctest/doctest.h>

using namespace gray;
using stats::MemoryMarks;
using stats::MemoryTally;

namespace {

MemoryHolder holder(std::uint64_t bytes, std::uint64_t kernel = 0) {
  return {.client = {}, .bytes = bytes, .kernel_bytes = kernel};
}

MemoryReport reported(const MemoryTally& tally) {
  MemoryReport report;
  tally.report(report);
  return report;
}

}  // namespace

TEST_CASE("bytes and counts are summed by owner and version") {
  MemoryTally one, other;
  one.add(MemoryOwner::clients, {}, 10);
  one.add(MemoryOwner::clients, 2, 20);
  one.add(MemoryOwner::clients, 2, 30);
  other.add(MemoryOwner::clients, 2, 5, 7);
  other.add(MemoryOwner::pools, {}, 1, 0);
  one.merge(other);
  const auto report = reported(one);
  REQUIRE(report.shares.size() == 3);
  CHECK(report.shares[0].bytes == 10);
  CHECK_FALSE(report.shares[0].row);
  CHECK(report.shares[1].row == 2);
  CHECK(report.shares[1].bytes == 55);
  CHECK(report.shares[1].count == 9);
  CHECK(report.shares[2].owner == MemoryOwner::pools);
}

TEST_CASE("the ten largest holders are kept in their order, also over threads") {
  MemoryTally one, other;
  for (std::uint64_t i = 1; i <= 30; ++i) (i % 2 ? one : other).hold(holder(i, i == 3 ? 1'000 : 0));
  CHECK_FALSE(one.is_large(13));
  CHECK(one.is_large(14));
  one.merge(other);
  const auto report = reported(one);
  REQUIRE(report.largest.size() == kLargestHolders);
  CHECK(report.largest[0].bytes == 3);  // the kernel holds most for it
  CHECK(report.largest[1].bytes == 30);
  CHECK(report.largest[9].bytes == 22);
}

TEST_CASE("marks stay after a peak, until the row is used for another version") {
  MemoryMarks marks;
  MemoryTally peak, later;
  peak.add(MemoryOwner::queue, 1, 500);
  peak.add(MemoryOwner::logs, {}, 7);
  marks.raise(peak);
  later.add(MemoryOwner::queue, 1, 3);
  marks.raise(later);
  marks.mark(later);
  CHECK(later.shares()[{MemoryOwner::queue, 1}].bytes == 3);
  CHECK(later.shares()[{MemoryOwner::queue, 1}].high_water == 500);
  CHECK(later.shares()[{MemoryOwner::logs, std::nullopt}].high_water == 7);  // empty now
  marks.keep([](std::uint32_t row) { return row != 1; });
  MemoryTally fresh;
  marks.mark(fresh);
  CHECK(fresh.shares().size() == 1);
  MemoryTally joined;
  joined.merge(later);
  joined.merge(later);
  CHECK(joined.shares()[{MemoryOwner::queue, 1}].high_water == 1'000);
}
