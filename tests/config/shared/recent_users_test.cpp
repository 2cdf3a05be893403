#include "config/shared/recent_users.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace gray::segment {
namespace {

using Answer = RecentUsers::Answer;
using std::chrono::seconds;

/// A key whose hash starts its search at `place`; keys with another `number` are other users.
std::uint64_t key(std::uint64_t number, std::uint64_t place) { return number << 24 | place; }

TEST_CASE("a user is counted once in ten minutes, and then again") {
  const auto users = std::make_unique<RecentUsers>();
  CHECK(users->add(key(1, 5), seconds{1'000}) == Answer::first);
  CHECK(users->add(key(1, 5), seconds{1'000}) == Answer::again);
  CHECK(users->add(key(1, 5), seconds{1'599}) == Answer::again);
  CHECK(users->add(key(1, 5), seconds{1'600}) == Answer::first);
  CHECK(users->add(key(1, 5), seconds{2'199}) == Answer::again);
}

TEST_CASE("users with the same place are told apart, until all probes of the place hold others") {
  const auto users = std::make_unique<RecentUsers>();
  for (std::uint64_t i = 1; i <= RecentUsers::kProbes; ++i) CHECK(users->add(key(i, 9), seconds{50}) == Answer::first);
  for (std::uint64_t i = 1; i <= RecentUsers::kProbes; ++i) CHECK(users->add(key(i, 9), seconds{60}) == Answer::again);
  CHECK(users->add(key(99, 9), seconds{60}) == Answer::full);
  CHECK(users->add(key(99, 9), seconds{650}) == Answer::first);  // the others are no longer recent
}

TEST_CASE("the last place continues at the first one") {
  const auto users = std::make_unique<RecentUsers>();
  const std::uint64_t last = RecentUsers::kPlaces - 1;
  for (std::uint64_t i = 1; i <= 3; ++i) CHECK(users->add(key(i, last), seconds{1}) == Answer::first);
  for (std::uint64_t i = 1; i <= 3; ++i) CHECK(users->add(key(i, last), seconds{1}) == Answer::again);
}

TEST_CASE("time 0 and the wrap of the stored time are like any other time") {
  const auto users = std::make_unique<RecentUsers>();
  CHECK(users->add(key(1, 1), seconds{0}) == Answer::first);
  CHECK(users->add(key(1, 1), seconds{1}) == Answer::again);
  const seconds wrap{(1 << 24) - 1};
  CHECK(users->add(key(2, 2), wrap - seconds{1}) == Answer::first);
  CHECK(users->add(key(2, 2), wrap + seconds{1}) == Answer::again);
}

TEST_CASE("threads that add the same users at the same time count each once") {
  const auto users = std::make_unique<RecentUsers>();
  constexpr std::uint64_t kUsers = 2'000;
  std::atomic<std::uint64_t> first{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kUsers; ++i)
        if (users->add(key(i + 1, i * 31), seconds{7}) == Answer::first) first.fetch_add(1);
    });
  }
  threads.clear();
  CHECK(first == kUsers);
}

}  // namespace
}  // namespace gray::segment
