#include "router/policy/memory_ladder.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::policy;
using Level = MemoryLevel;

namespace {

constexpr std::size_t kBudget = 1'000'000;

}  // namespace

TEST_CASE("each level begins at its part of the budget") {
  struct Case {
    std::size_t used;
    Level level;
  };
  for (const Case& row :
       {Case{0, Level::ample}, Case{799'999, Level::ample}, Case{800'000, Level::shrink}, Case{849'999, Level::shrink},
        Case{850'000, Level::hurry}, Case{920'000, Level::last_answers}, Case{949'999, Level::last_answers},
        Case{950'000, Level::refuse}, Case{980'000, Level::shed}, Case{2'000'000, Level::shed}}) {
    CAPTURE(row.used);
    CHECK(level_of(row.used, kBudget, Level::ample) == row.level);
  }
}

TEST_CASE("a level is left only when the memory has fallen by a part of the budget") {
  CHECK(level_of(960'000, kBudget, Level::shed) == Level::shed);
  CHECK(level_of(949'999, kBudget, Level::shed) == Level::refuse);
  CHECK(level_of(920'000, kBudget, Level::shed) == Level::refuse);
  CHECK(level_of(770'000, kBudget, Level::shrink) == Level::shrink);
  CHECK(level_of(769'999, kBudget, Level::shrink) == Level::ample);
  CHECK(level_of(0, kBudget, Level::shed) == Level::ample);
}

TEST_CASE("no order of changes oscillates: with the same bytes the level stays") {
  for (std::size_t used = 0; used <= kBudget; used += 997) {
    for (std::size_t before = 0; before < static_cast<std::size_t>(Level::count); ++before) {
      const Level level = level_of(used, kBudget, static_cast<Level>(before));
      REQUIRE(level_of(used, kBudget, level) == level);
    }
  }
}

TEST_CASE("idle clients are kept for less and less time between 85 % and 95 %") {
  const Duration full{75'000};
  CHECK(hurried(full, 850'000, kBudget) == full);
  CHECK(hurried(full, 900'000, kBudget) == Duration{38'500});
  CHECK(hurried(full, 950'000, kBudget) == kLeastIdle);
  CHECK(hurried(full, kBudget, kBudget) == kLeastIdle);
  CHECK(hurried(Duration{500}, kBudget, kBudget) == Duration{500});
}

TEST_CASE("a tiny budget has a level for every number of bytes") {
  for (const std::size_t budget : {0, 1, 50}) {
    CHECK(level_of(budget + 1, budget, Level::ample) == Level::shed);
  }
}
