#include "router/engine/object_store.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace gray::engine;

namespace {

struct Counted {
  explicit Counted(int& count) : live(count) { ++live; }
  ~Counted() { --live; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  int& live;
};

}  // namespace

TEST_CASE("an object that was given back is used again, and none is made meanwhile") {
  int live = 0;
  ObjectStore<Counted> store;
  const auto make = [&] { return std::make_unique<Counted>(live); };
  Counted* first = store.take(make);
  store.give_back(*first);
  CHECK(store.take(make) == first);
  CHECK(store.take(make) != first);
  CHECK(live == 2);
  CHECK(store.in_use() == 2);
}

TEST_CASE("without memory there is no object, and the store is as before") {
  ObjectStore<Counted> store;
  CHECK(store.take([] { return std::unique_ptr<Counted>(); }) == nullptr);
  CHECK(store.size() == 0);
}

TEST_CASE("after a peak all but a few unused objects are freed, and none that is in use") {
  int live = 0, surplus = 0;
  ObjectStore<Counted> store([&] { ++surplus; });
  const auto make = [&] { return std::make_unique<Counted>(live); };
  std::set<Counted*> used;
  for (int i = 0; i < 1'000; ++i) used.insert(store.take(make));
  std::set<Counted*> kept;
  for (Counted* one : used) kept.size() < 10 ? void(kept.insert(one)) : store.give_back(*one);
  CHECK(surplus == 1);
  int trims = 0;
  for (; store.has_surplus() && trims < 40; ++trims) store.trim();
  CHECK(trims < 20);
  CHECK(static_cast<std::size_t>(live) <= 10 + 10 / 4 + ObjectStore<Counted>::kSpare);
  std::size_t seen = 0;
  store.for_each([&](Counted& one) { seen += kept.contains(&one) ? 1 : 0; });
  CHECK(seen == kept.size());
}

TEST_CASE("a visit may take another object") {
  int live = 0;
  ObjectStore<Counted> store;
  const auto make = [&] { return std::make_unique<Counted>(live); };
  (void)store.take(make);
  int visits = 0;
  store.for_each([&](Counted&) {
    if (++visits == 1) (void)store.take(make);
  });
  CHECK(visits == 2);
}
