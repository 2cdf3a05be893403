#include "router/engine/memory_budget.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>
#include <vector>

using namespace gray::engine;
using gray::policy::MemoryLevel;

TEST_CASE("the limit is exact, and a refusal changes nothing") {
  MemoryBudget budget(1'000);
  CHECK(budget.take(1'000));
  CHECK_FALSE(budget.take(1));
  CHECK(budget.used() == 1'000);
  budget.give(1'000);
  CHECK_FALSE(budget.take(1'001));
  CHECK_FALSE(budget.take(SIZE_MAX));
  CHECK(budget.take(999));
  CHECK(budget.take(1));
}

TEST_CASE("what has to exist is added beyond the limit, and take() then refuses until it is given back") {
  MemoryBudget budget(1'000);
  budget.add(1'500);
  CHECK_FALSE(budget.take(1));
  CHECK(budget.level() == MemoryLevel::shed);
  budget.give(1'400);
  CHECK(budget.take(1));
  CHECK(budget.level() == MemoryLevel::ample);
}

TEST_CASE("a budget of 0 grants nothing") {
  MemoryBudget budget(0);
  CHECK_FALSE(budget.take(1));
  CHECK(budget.take(0));
}

TEST_CASE("each change of the level is reported once") {
  std::vector<MemoryLevel> seen;
  MemoryBudget* self = nullptr;
  MemoryBudget budget(1'000, [&] { seen.push_back(self->level()); });
  self = &budget;
  CHECK(budget.take(799));
  CHECK(seen.empty());
  CHECK(budget.take(1));
  CHECK(budget.take(10));
  CHECK(budget.take(140));
  budget.give(950);
  CHECK(seen == std::vector{MemoryLevel::shrink, MemoryLevel::refuse, MemoryLevel::ample});
}

TEST_CASE("threads never exceed the limit together, and the level fits the bytes in the end") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  constexpr std::size_t kLimit = 10'000;
  MemoryBudget budget(kLimit);
  std::atomic<bool> exceeded{false};
  std::atomic<std::size_t> granted{0};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(seed + thread);
      std::size_t held = 0;
      for (int i = 0; i < 20'000; ++i) {
        const std::size_t bytes = random() % 4'000;
        if (random() % 2 == 0 && budget.take(bytes)) {
          held += bytes;
          if (granted.fetch_add(bytes) + bytes > kLimit) exceeded = true;
        } else if (held > 0) {
          const std::size_t part = random() % held + 1;
          granted -= part;  // before: what is given may be taken at once
          budget.give(part);
          held -= part;
        }
      }
      granted -= held;
      budget.give(held);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(exceeded);
  CHECK(budget.used() == 0);
  CHECK(budget.level() == MemoryLevel::ample);
}
