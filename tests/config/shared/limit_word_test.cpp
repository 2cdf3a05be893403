#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "config/shared/segment.hpp"

using gray::segment::LimitWord;

TEST_CASE("a limit counts over all slots together") {
  LimitWord word;
  CHECK(word.acquire(0, 2));
  CHECK(word.acquire(3, 2));
  CHECK(!word.acquire(1, 2));
  CHECK(word.total() == 2);
  CHECK(word.share(3) == 1);
  word.release(0);
  CHECK(word.acquire(1, 2));
}

TEST_CASE("a limit of 0 admits no request, and the largest limit admits 65535") {
  LimitWord word;
  CHECK(!word.acquire(0, 0));
  for (int i = 0; i < 65'535; ++i) REQUIRE(word.acquire(0, 65'535));
  CHECK(!word.acquire(0, 65'535));
  CHECK(!word.acquire(1, 1'000'000));
  CHECK(word.share(0) == 65'535);
  CHECK(word.share(1) == 0);
}

TEST_CASE("the share of a dead slot is returned, and a late release does not change the neighbouring slot") {
  LimitWord word;
  for (int i = 0; i < 3; ++i) CHECK(word.acquire(1, 10));
  CHECK(word.acquire(2, 10));
  word.forget(1);
  CHECK(word.total() == 1);
  word.release(1);
  CHECK(word.total() == 1);
  CHECK(word.share(2) == 1);
}

TEST_CASE("a unit above a floor is given back once, whatever slot has the others") {
  LimitWord word;
  REQUIRE(word.acquire(0, 10));
  REQUIRE(word.acquire(1, 10));
  CHECK_FALSE(word.release_above(2, 1));  // it has none
  CHECK_FALSE(word.release_above(0, 2));
  CHECK(word.release_above(0, 1));
  CHECK_FALSE(word.release_above(1, 1));
  CHECK(word.release_above(1, 0));
  CHECK(word.total() == 0);
}

TEST_CASE("threads that race never exceed the limit") {
  constexpr std::uint32_t kLimit = 3;
  LimitWord word;
  std::atomic<int> inside{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (std::uint32_t slot = 0; slot < 4; ++slot)
    threads.emplace_back([&, slot] {
      for (int i = 0; i < 20'000; ++i) {
        if (!word.acquire(slot, kLimit)) continue;
        if (inside.fetch_add(1) >= static_cast<int>(kLimit)) exceeded = true;
        inside.fetch_sub(1);
        word.release(slot);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(!exceeded);
  CHECK(word.total() == 0);
}
