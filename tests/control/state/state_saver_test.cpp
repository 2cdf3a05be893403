#include "control/state/state_saver.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <optional>

#include "config/base/archive.hpp"
#include "tests/control/state/memory_store.hpp"

namespace gray::control {
namespace {

/// A store whose saves end when the test says so.
struct SlowStore final : RolloutStore {
  test::MemoryStore inner;
  std::deque<std::function<void()>> running;

  Snapshot load(std::string& warning) override { return inner.load(warning); }
  Revision revision() const override { return inner.revision(); }
  void save(State state, Author by, Revision expected, Done done) override {
    running.push_back([this, state = std::move(state), by = std::move(by), expected, done = std::move(done)] {
      inner.save(state, by, expected, done);
    });
  }
  WatchId watch(Revision from, Changed changed) override { return inner.watch(from, std::move(changed)); }
  void unwatch(WatchId id) override { inner.unwatch(id); }
  void finish_one() {
    REQUIRE_FALSE(running.empty());
    const auto next = std::move(running.front());
    running.pop_front();
    next();
  }
};

struct SaverFixture {
  SlowStore store;
  std::optional<StateSaver> saver{store};
  std::vector<std::pair<int, SaveEnd>> ends;

  static State percent(double value) { return {{"web", {.weights = {{"v2", value}}}}}; }
  void save(int number) {
    saver->save(percent(number), {"pid " + std::to_string(number), "shift"},
                [this, number](const SaveEnd& end) { ends.emplace_back(number, end); });
  }
  State kept() {
    std::string warning;
    return store.load(warning).state;
  }
};

}  // namespace

TEST_CASE_FIXTURE(SaverFixture, "a save is made from the revision before") {
  save(1);
  store.finish_one();
  save(2);
  store.finish_one();
  REQUIRE(ends.size() == 2);
  CHECK(ends[0].second.revision == 1);
  CHECK(ends[1].second.revision == 2);
  CHECK(saver->revision() == 2);
}

TEST_CASE_FIXTURE(SaverFixture, "states given during a save become one save, which completes all in order") {
  for (int i = 1; i <= 5; ++i) save(i);
  CHECK(store.running.size() == 1);
  store.finish_one();
  CHECK(ends.size() == 1);
  CHECK(kept() == percent(1));
  CHECK(store.running.size() == 1);
  store.finish_one();
  REQUIRE(ends.size() == 5);
  for (int i = 0; i < 5; ++i) CHECK(ends[static_cast<std::size_t>(i)].first == i + 1);
  CHECK(kept() == percent(5));
  CHECK(saver->revision() == 2);
  CHECK(store.running.empty());
}

TEST_CASE_FIXTURE(SaverFixture, "after a failure the next save is made from the last good revision") {
  save(1);
  store.finish_one();
  store.inner.failure = "the disk is full";
  save(2);
  store.finish_one();
  CHECK(ends[1].second.code == ExitCode::failed);
  CHECK(ends[1].second.error == "the disk is full");
  store.inner.failure.clear();
  save(3);
  store.finish_one();
  CHECK(ends[2].second.code == ExitCode::ok);
  CHECK(kept() == percent(3));
}

TEST_CASE_FIXTURE(SaverFixture, "a change by another grayd is a conflict that names it, and is never overwritten") {
  store.inner.save(percent(99), {"pid 7 on host b", "promote web v2"}, 0, [](const SaveOutcome&) {});
  for (int i = 1; i <= 2; ++i) {
    save(i);
    store.finish_one();
    const auto& end = ends.back().second;
    CHECK(end.code == ExitCode::conflict);
    CHECK(end.error == "the state was changed meanwhile: promote web v2 (pid 7 on host b), revision 1");
  }
  CHECK(kept() == percent(99));
  saver->begin(1);
  save(3);
  store.finish_one();
  CHECK(kept() == percent(3));
}

TEST_CASE_FIXTURE(SaverFixture, "what waits is saved although the saver has gone") {
  save(1);
  save(2);
  saver.reset();
  store.finish_one();
  store.finish_one();
  CHECK(ends.size() == 2);
  CHECK(kept() == percent(2));
}

TEST_CASE_FIXTURE(SaverFixture, "the revision outlasts an exec") {
  save(1);
  store.finish_one();
  gray::Save to;
  saver->archive(to);
  const auto written = to.take();
  gray::Load from(written);
  StateSaver next(store);
  next.archive(from);
  CHECK(next.revision() == 1);
}

}  // namespace gray::control
