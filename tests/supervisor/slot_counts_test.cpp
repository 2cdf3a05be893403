#include "supervisor/slot_counts.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {
const TimePoint kCountsNow{1h};
}

TEST_CASE("a number is free if no slot has it, the lowest first") {
  SlotCounts counts;
  CHECK(counts.free_number() == 0);
  counts.set(0, {}, {});
  counts.set(1, {}, {});
  counts.set(3, {}, {});
  CHECK(counts.free_number() == 2);
  counts.set(2, {}, {});
  CHECK(counts.free_number() == 4);
  counts.erase(3);
  counts.erase(1);
  counts.erase(9);
  CHECK(counts.free_number() == 1);
  CHECK(counts.all() == 2);
}

TEST_CASE("a slot that is gone has no deadline and may not start") {
  SlotCounts counts;
  counts.set(5, {.startable = true}, kCountsNow);
  CHECK(counts.startable() == 5);
  CHECK(counts.deadlines().next() == kCountsNow);
  counts.erase(5);
  CHECK_FALSE(counts.startable());
  CHECK_FALSE(counts.deadlines().next());
}

TEST_CASE("after any changes the numbers are those of a count of all slots") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  SlotCounts counts;
  std::map<unsigned, SlotCounts::Facts> slots;
  for (int i = 0; i < 5'000; ++i) {
    const unsigned slot = random() % 12;
    if (random() % 5 == 0) {
      counts.erase(slot);
      slots.erase(slot);
    } else {
      const auto state = static_cast<WorkerState>(random() % kWorkerStates);
      const SlotCounts::Facts facts{state, random() % 2 == 0, random() % 2 == 0,
                                    state == WorkerState::healthy && random() % 2 == 0, random() % 3 == 0};
      counts.set(slot, facts, {});
      slots[slot] = facts;
    }
    std::size_t wanted = 0, current = 0, both = 0, healthy = 0, fit = 0, proven = 0, proven_wanted = 0;
    std::optional<unsigned> startable;
    for (const auto& [number, facts] : slots) {
      wanted += facts.wanted;
      current += facts.current;
      both += facts.wanted && facts.current;
      healthy += facts.state == WorkerState::healthy;
      fit += facts.current && facts.state == WorkerState::healthy;
      proven += facts.current && facts.proven;
      proven_wanted += facts.current && facts.proven && facts.wanted;
      if (facts.startable && !startable) startable = number;
    }
    REQUIRE(counts.all() == slots.size());
    REQUIRE(counts.wanted() == wanted);
    REQUIRE(counts.current() == current);
    REQUIRE(counts.current_wanted() == both);
    REQUIRE(counts.in(WorkerState::healthy) == healthy);
    REQUIRE(counts.fit(false) == fit);
    REQUIRE(counts.fit(true) == proven);
    REQUIRE(counts.fit_wanted(true) == proven_wanted);
    REQUIRE(counts.startable() == startable);
  }
}
