// Which worker gets a request: values in, a worker out. No socket, no clock.
#include "router/backends/version.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "router/policy/affinity.hpp"

using namespace gray;
using namespace gray::proxy;

namespace {

constexpr TimePoint at(int milliseconds) { return TimePoint{} + Duration{3'600'000 + milliseconds}; }

struct VersionFixture {
  segment::Segment segment = segment::Segment::create();
  Version version;
  std::uint64_t generation = 0;

  WorkerRoute route(std::uint32_t worker_slot) {
    return {.cell = worker_slot, .generation = ++generation, .id = "web@v1#" + std::to_string(worker_slot)};
  }
  /// Workers 0 to `count` - 1, all able for `ms` at(0).
  std::vector<WorkerRoute> settled(std::uint32_t count, int ms = 60'000) {
    std::vector<WorkerRoute> routes;
    for (std::uint32_t worker_slot = 0; worker_slot < count; ++worker_slot) routes.push_back(route(worker_slot));
    version.update(routes, at(-ms));
    return routes;
  }
  Worker& worker(std::uint32_t worker_slot) {
    for (Worker& one : version.workers)
      if (one.cell == worker_slot && one.able) return one;
    FAIL("no such worker");
    return version.workers.front();
  }
  /// The slot that is chosen; -1: none.
  int choose(const Wish& wish = {}, TimePoint now = at(0)) {
    const Worker* chosen = version.choose(wish, *segment, now);
    return chosen == nullptr ? -1 : static_cast<int>(chosen->cell);
  }
  int choose_for(const std::string& user, TimePoint now = at(0)) {
    return choose({.affinity = policy::affinity_hash(user)}, now);
  }
  void fill(std::uint32_t worker_slot) {
    while (segment->workers[worker_slot].sockets.acquire(0, version.limits.max_sockets)) {
    }
  }
  /// The number of choices for each slot, of `count` requests that end at once.
  std::map<int, int> shares(TimePoint now, int count = 1'000) {
    std::map<int, int> shares;
    for (int i = 0; i < count; ++i) ++shares[choose({}, now)];
    return shares;
  }
};

}  // namespace

TEST_CASE_FIXTURE(VersionFixture, "the least loaded able worker is chosen, and equally loaded ones take turns") {
  settled(3);
  CHECK(shares(at(0), 300) == std::map<int, int>{{0, 100}, {1, 100}, {2, 100}});
  worker(0).in_flight = worker(2).in_flight = 1;
  for (int i = 0; i < 3; ++i) CHECK(choose() == 1);
  version.update({}, at(0));
  CHECK(choose() == -1);
  CHECK_FALSE(version.up());
  CHECK(version.socket_limit() == 0);
}

TEST_CASE_FIXTURE(VersionFixture,
                  "a worker at its limit, the avoided one and a suspect are skipped while there are others") {
  settled(3);
  fill(0);
  for (int i = 0; i < 4; ++i) CHECK(choose() != 0);
  const Wish wish{.avoid = worker(1).generation};
  CHECK(choose(wish) == 2);
  worker(2).suspect_until = at(500);
  CHECK(choose(wish) != 0);
  CHECK(choose({}, at(499)) == 1);
  fill(1);
  CHECK(choose({}, at(499)) == -1);  // it may be dead and not withdrawn yet: the request waits for the full ones
  CHECK(choose({}, at(500)) == 2);
  worker(0).suspect_until = worker(1).suspect_until = at(550);
  CHECK(choose({.avoid = worker(2).generation}, at(549)) == 2);  // no other one is better
  fill(2);
  CHECK(choose({}, at(600)) == -1);
}

TEST_CASE_FIXTURE(VersionFixture, "a user stays on one worker, however busy it is, and users are spread") {
  settled(3);
  std::map<int, int> users;
  for (int user = 0; user < 300; ++user) {
    const std::string name = "user " + std::to_string(user);
    const int first = choose_for(name);
    ++users[first];
    worker(static_cast<std::uint32_t>(first)).in_flight = 5;
    CHECK(choose_for(name) == first);
    worker(static_cast<std::uint32_t>(first)).in_flight = 0;
  }
  for (int worker_slot = 0; worker_slot < 3; ++worker_slot) CHECK(users[worker_slot] > 60);
}

TEST_CASE_FIXTURE(VersionFixture, "a request for the preferred worker alone gets it or none, unless it is suspect") {
  settled(3);
  const Wish alone{.affinity = policy::affinity_hash("alice"), .only_preferred = true};
  const int slot = choose(alone);
  CHECK(slot == choose_for("alice"));
  fill(static_cast<std::uint32_t>(slot));
  CHECK(choose(alone) == -1);
  CHECK(version.preferred(alone, at(0)) == &worker(static_cast<std::uint32_t>(slot)));
  worker(static_cast<std::uint32_t>(slot)).suspect_until = at(500);
  CHECK(choose(alone) >= 0);
  CHECK(version.preferred(alone, at(0)) == nullptr);
}

TEST_CASE_FIXTURE(VersionFixture,
                  "affinity is a preference: a full, suspect, avoided or absent preferred worker is replaced at once") {
  const auto routes = settled(3);
  const int slot = choose_for("alice");
  Worker& preferred = worker(static_cast<std::uint32_t>(slot));
  const std::uint64_t alice = policy::affinity_hash("alice");
  CHECK(choose({.avoid = preferred.generation, .affinity = alice}) != slot);
  preferred.suspect_until = at(500);
  CHECK(choose_for("alice", at(499)) != slot);
  CHECK(choose_for("alice", at(500)) == slot);
  fill(static_cast<std::uint32_t>(slot));
  worker(static_cast<std::uint32_t>((slot + 1) % 3)).in_flight = 1;
  CHECK(choose_for("alice", at(500)) == (slot + 2) % 3);
}

TEST_CASE_FIXTURE(VersionFixture,
                  "removing a worker moves only its users, and the next process in its slot gets them back") {
  auto routes = settled(4);
  std::vector<std::string> users;
  std::vector<int> before;
  for (int user = 0; user < 1'000; ++user) users.push_back("user " + std::to_string(user));
  for (const auto& user : users) before.push_back(choose_for(user));
  auto fewer = routes;
  fewer.erase(fewer.begin() + 2);
  version.update(fewer, at(0));
  int moved = 0;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const int now = choose_for(users[i]);
    CHECK(now != 2);
    moved += before[i] == 2 ? 1 : 0;
    if (before[i] != 2) CHECK(now == before[i]);
  }
  CHECK(moved > 150);
  fewer.push_back(route(2));
  version.update(fewer, at(100));
  for (std::size_t i = 0; i < users.size(); ++i) CHECK(choose_for(users[i], at(10'100)) == before[i]);
}

TEST_CASE_FIXTURE(VersionFixture, "a fresh worker beside older ones: its share grows from a tenth to the full one") {
  auto routes = settled(2);
  routes.push_back(route(2));
  version.update(routes, at(0));
  constexpr int kChoices = 9'000, kFair = 3'000;
  int last = 0;
  for (const auto& [ms, part] : {std::pair{0, 0.1}, {2'500, 0.325}, {5'000, 0.55}, {7'500, 0.775}, {10'000, 1.0}}) {
    auto share = shares(at(ms), kChoices);
    CHECK(share[2] == doctest::Approx(kFair * part).epsilon(0.02));
    CHECK(share[0] == doctest::Approx(share[1]).epsilon(0.05));
    CHECK(share[2] > last);
    last = share[2];
  }
}

TEST_CASE_FIXTURE(VersionFixture,
                  "with long requests a fresh worker holds no more of them than its share of the choices") {
  auto routes = settled(1);
  routes.push_back(route(1));
  version.update(routes, at(0));
  for (int i = 0; i < 40; ++i) ++version.choose({}, *segment, at(0))->in_flight;
  CHECK(worker(1).in_flight == 2);
  for (int i = 0; i < 200; ++i) ++version.choose({}, *segment, at(10'000))->in_flight;
  CHECK(worker(1).in_flight == worker(0).in_flight);
}

TEST_CASE_FIXTURE(VersionFixture, "a fresh worker is chosen if only it has room, and before a suspect one") {
  auto routes = settled(1);
  routes.push_back(route(1));
  version.update(routes, at(0));
  worker(0).suspect_until = at(50);
  for (int i = 0; i < 20; ++i) CHECK(choose() == 1);
  worker(0).suspect_until = {};
  fill(0);
  for (int i = 0; i < 20; ++i) CHECK(choose() == 1);
}

TEST_CASE_FIXTURE(VersionFixture, "at the start of a version no worker starts slowly, however long they take to come") {
  std::vector<WorkerRoute> routes = {route(0)};
  version.update(routes, at(0));
  routes.push_back(route(1));
  version.update(routes, at(9'000));
  CHECK(shares(at(9'000), 100) == std::map<int, int>{{0, 50}, {1, 50}});
  version.update(routes, at(11'000));  // any change, now that the first worker is old
  CHECK(shares(at(11'000), 100) == std::map<int, int>{{0, 50}, {1, 50}});
}

TEST_CASE_FIXTURE(VersionFixture, "when the older workers go, the fresh ones have their full share") {
  auto routes = settled(1);
  const std::vector<WorkerRoute> fresh = {route(1), route(2)};
  routes.insert(routes.end(), fresh.begin(), fresh.end());
  version.update(routes, at(0));
  CHECK(shares(at(0), 1'000)[1] < 100);
  version.update(fresh, at(100));
  CHECK(shares(at(100), 100) == std::map<int, int>{{1, 50}, {2, 50}});
  CHECK(version.warm_at == TimePoint{});
}

TEST_CASE_FIXTURE(VersionFixture, "a worker that was unable for a while starts slowly again") {
  const auto routes = settled(2);
  worker(1).in_flight = 1;  // so it is not removed
  version.update({routes[0]}, at(0));
  version.update(routes, at(1'000));
  worker(1).in_flight = 0;
  CHECK(shares(at(1'000), 1'000)[1] == doctest::Approx(50).epsilon(0.05));
  CHECK(shares(at(11'000), 1'000)[1] == 500);
}

TEST_CASE_FIXTURE(VersionFixture, "users move to a fresh preferred worker one by one, each of them once") {
  auto routes = settled(3);
  routes.push_back(route(3));
  version.update(routes, at(0));
  std::vector<std::string> users;
  for (int user = 0; user < 2'000; ++user) users.push_back("user " + std::to_string(user));
  std::vector<int> where;
  for (const auto& user : users) where.push_back(choose_for(user));
  CHECK(std::count(where.begin(), where.end(), 3) < 100);
  for (int ms = 500; ms <= 10'000; ms += 500) {
    for (std::size_t i = 0; i < users.size(); ++i) {
      const int now = choose_for(users[i], at(ms));
      if (now != where[i]) CHECK(now == 3);
      where[i] = now;
    }
  }
  const auto moved = std::count(where.begin(), where.end(), 3);
  CHECK(moved > 400);
  CHECK(moved < 600);
}
