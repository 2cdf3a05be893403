#include "router/policy/affinity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "router/policy/decision.hpp"

namespace gray::policy {
namespace {

constexpr int kUsers = 10'000;

std::string worker(int worker_slot) { return "web@v1#" + std::to_string(worker_slot); }

/// The slot of `worker_slots` that a user gets.
int slot_of(std::uint64_t user, const std::vector<int>& worker_slots) {
  return *std::max_element(worker_slots.begin(), worker_slots.end(), [user](int a, int b) {
    return suitability(user, slot_hash(worker(a))) < suitability(user, slot_hash(worker(b)));
  });
}

std::vector<std::uint64_t> random_users(unsigned seed, int count = kUsers) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> users;
  for (int i = 0; i < count; ++i) users.push_back(affinity_hash("user-" + std::to_string(random())));
  return users;
}

TEST_CASE("the users are spread evenly over the slots, within 5 percent") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  constexpr int kMany = 100'000;
  for (const int count : {2, 3, 4, 8}) {
    std::vector<int> worker_slots(count);
    for (int worker_slot = 0; worker_slot < count; ++worker_slot) worker_slots[worker_slot] = worker_slot;
    std::map<int, int> share;
    for (const std::uint64_t user : random_users(seed, kMany)) ++share[slot_of(user, worker_slots)];
    for (const int worker_slot : worker_slots) {
      CHECK(share[worker_slot] > kMany / count * 0.95);
      CHECK(share[worker_slot] < kMany / count * 1.05);
    }
  }
}

TEST_CASE("removing a slot moves only its users, evenly over the others; a new slot takes its share") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  const std::vector<int> four = {0, 1, 2, 3}, three = {0, 1, 3};
  int moved = 0;
  std::map<int, int> taken_by;
  for (const std::uint64_t user : random_users(seed)) {
    const int before = slot_of(user, four), after = slot_of(user, three);
    if (before != 2) {
      REQUIRE(after == before);
      continue;
    }
    ++moved;
    ++taken_by[after];
  }
  // A quarter of them, 2500; six standard deviations are 260.
  CHECK(moved > 2'240);
  CHECK(moved < 2'760);
  for (const int worker_slot : three) CHECK(taken_by[worker_slot] > moved / 3 * 0.8);
}

TEST_CASE("users of a canary are spread like all users, and a salt does not move users") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Threshold five = Threshold::of_percent(5);
  const std::vector<int> worker_slots = {0, 1, 2, 3};
  std::map<int, int> share;
  int users = 0;
  while (users < kUsers) {
    const std::string identity = std::to_string(random());
    if (!five.takes(bucket_hash("web/v2", identity))) continue;
    ++users;
    ++share[slot_of(affinity_hash(identity), worker_slots)];
  }
  for (const int worker_slot : worker_slots) {
    CHECK(share[worker_slot] > 2'240);
    CHECK(share[worker_slot] < 2'760);
  }
}

TEST_CASE("the lower half of a winning score is evenly distributed") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  const std::vector<int> worker_slots = {0, 1, 2, 3};
  int below = 0;
  for (const std::uint64_t user : random_users(seed)) {
    const auto draw = static_cast<std::uint32_t>(suitability(user, slot_hash(worker(slot_of(user, worker_slots)))));
    below += draw < (1u << 31) / 5 ? 1 : 0;
  }
  CHECK(below > 1'000 - 180);
  CHECK(below < 1'000 + 180);
}

TEST_CASE("a user's hash is never 0, and a slot's hash depends on its id") {
  CHECK(affinity_hash("") != 0);
  CHECK(affinity_hash("alice") == affinity_hash("alice"));
  CHECK(affinity_hash("alice") != bucket_hash("", "alice"));
  CHECK(affinity_hash("alice") != slot_hash("alice"));
  std::set<std::uint64_t> worker_slots;
  for (int worker_slot = 0; worker_slot < 256; ++worker_slot) worker_slots.insert(slot_hash(worker(worker_slot)));
  CHECK(worker_slots.size() == 256);
}

}  // namespace
}  // namespace gray::policy
