// The contract of RolloutStore, for each implementation.
#include "control/state/rollout_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>

#include "control/state/state_store.hpp"
#include "tests/control/fixture.hpp"
#include "tests/control/state/memory_store.hpp"

namespace gray::control {
namespace {

struct InFile {
  TempDir dir;
  std::optional<StateStore> opened{dir / "state"};
  StateStore& store() { return *opened; }
  void reopen() {
    opened.reset();
    opened.emplace(dir / "state");
  }
  void fail() { REQUIRE(::mkdir((dir / "state/state.json.tmp").c_str(), 0700) == 0); }
  void work_again() { std::filesystem::remove(dir / "state/state.json.tmp"); }
};

struct InMemory {
  test::MemoryStore opened;
  test::MemoryStore& store() { return opened; }
  void reopen() {}
  void fail() { opened.failure = "the store is away"; }
  void work_again() { opened.failure.clear(); }
};

State percent_of_v2(double percent) { return {{"web", {.stable = "v1", .weights = {{"v2", percent}}}}}; }

SaveOutcome saved(RolloutStore& store, double percent, Revision expected, const Author& by = {"pid 1", "shift"}) {
  std::promise<SaveOutcome> done;
  store.save(percent_of_v2(percent), by, expected, [&](const SaveOutcome& outcome) { done.set_value(outcome); });
  return done.get_future().get();
}

Snapshot loaded(RolloutStore& store) {
  std::string warning = "untouched";
  auto snapshot = store.load(warning);
  CHECK(warning.empty());
  return snapshot;
}

/// What a watcher was called with.
struct Seen {
  std::mutex mutex;
  std::condition_variable more;
  std::vector<Snapshot> all;

  RolloutStore::Changed changed() {
    return [this](const Snapshot& snapshot) {
      const std::lock_guard lock(mutex);
      all.push_back(snapshot);
      more.notify_all();
    };
  }
  Revision wait_for(Revision revision) {
    std::unique_lock lock(mutex);
    more.wait_for(lock, std::chrono::seconds(20), [&] { return !all.empty() && all.back().revision >= revision; });
    return all.empty() ? 0 : all.back().revision;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("an empty store is revision 0", Kind, InFile, InMemory) {
  Kind kind;
  const auto first = loaded(kind.store());
  CHECK(first.revision == 0);
  CHECK(first.state.empty());
  CHECK(kind.store().revision() == 0);
}

TEST_CASE_TEMPLATE("each save makes a new revision, which the next grayd loads with its author", Kind, InFile,
                   InMemory) {
  Kind kind;
  loaded(kind.store());
  CHECK(std::get<Saved>(saved(kind.store(), 5, 0)).revision == 1);
  CHECK(std::get<Saved>(saved(kind.store(), 20, 1, {"pid 7, uid 0", "shift web v2"})).revision == 2);
  CHECK(kind.store().revision() == 2);
  kind.reopen();
  const auto next = loaded(kind.store());
  CHECK(next.revision == 2);
  CHECK(next.state == percent_of_v2(20));
  CHECK(next.by == Author{"pid 7, uid 0", "shift web v2"});
  CHECK(std::get<Saved>(saved(kind.store(), 30, 2)).revision == 3);
}

TEST_CASE_TEMPLATE("a save from an old revision writes nothing, and names who made the current one", Kind, InFile,
                   InMemory) {
  Kind kind;
  loaded(kind.store());
  saved(kind.store(), 5, 0, {"pid 7, uid 0", "shift web v2"});
  for (const Revision stale : {Revision{0}, Revision{2}, Revision{99}}) {
    const auto outcome = saved(kind.store(), 50, stale, {"pid 8, uid 0", "promote web v2"});
    REQUIRE(std::holds_alternative<Conflict>(outcome));
    CHECK(std::get<Conflict>(outcome).current == 1);
    CHECK(std::get<Conflict>(outcome).by == Author{"pid 7, uid 0", "shift web v2"});
  }
  CHECK(kind.store().revision() == 1);
  kind.reopen();
  CHECK(loaded(kind.store()).state == percent_of_v2(5));
}

TEST_CASE_TEMPLATE("of two saves from the same revision exactly one succeeds: the first", Kind, InFile, InMemory) {
  Kind kind;
  loaded(kind.store());
  std::promise<void> both;
  std::vector<SaveOutcome> outcomes;
  for (const double percent : {10.0, 90.0})
    kind.store().save(percent_of_v2(percent), {"pid 1", "shift"}, 0, [&](const SaveOutcome& outcome) {
      outcomes.push_back(outcome);
      if (outcomes.size() == 2) both.set_value();
    });
  both.get_future().wait();
  CHECK(std::holds_alternative<Saved>(outcomes[0]));
  CHECK(std::holds_alternative<Conflict>(outcomes[1]));
  kind.reopen();
  CHECK(loaded(kind.store()).state == percent_of_v2(10));
}

TEST_CASE_TEMPLATE("a failed save is reported and leaves state and revision", Kind, InFile, InMemory) {
  Kind kind;
  loaded(kind.store());
  saved(kind.store(), 5, 0);
  kind.fail();
  const auto outcome = saved(kind.store(), 50, 1);
  REQUIRE(std::holds_alternative<SaveFailed>(outcome));
  CHECK_FALSE(std::get<SaveFailed>(outcome).error.empty());
  CHECK(kind.store().revision() == 1);
  kind.work_again();
  CHECK(std::get<Saved>(saved(kind.store(), 60, 1)).revision == 2);
  kind.reopen();
  CHECK(loaded(kind.store()).state == percent_of_v2(60));
}

TEST_CASE_TEMPLATE("a watcher sees the current revision and later ones, but no failed save", Kind, InFile, InMemory) {
  Kind kind;
  loaded(kind.store());
  saved(kind.store(), 5, 0);
  Seen behind, current;
  const auto first = kind.store().watch(0, behind.changed());
  const auto second = kind.store().watch(1, current.changed());
  CHECK(behind.wait_for(1) == 1);
  kind.fail();
  saved(kind.store(), 50, 1);
  kind.work_again();
  saved(kind.store(), 60, 1, {"pid 9", "promote"});
  CHECK(behind.wait_for(2) == 2);
  CHECK(current.wait_for(2) == 2);
  kind.store().unwatch(first);
  kind.store().unwatch(second);
  CHECK(current.all.size() == 1);
  CHECK(current.all[0].state == percent_of_v2(60));
  CHECK(current.all[0].by == Author{"pid 9", "promote"});
}

TEST_CASE_TEMPLATE("an ended watcher is never called again", Kind, InFile, InMemory) {
  Kind kind;
  loaded(kind.store());
  Seen ended, other;
  kind.store().unwatch(kind.store().watch(0, ended.changed()));
  const auto id = kind.store().watch(0, other.changed());
  saved(kind.store(), 5, 0);
  CHECK(other.wait_for(1) == 1);
  kind.store().unwatch(id);
  CHECK(ended.all.empty());
}

TEST_CASE_TEMPLATE("the end of a save may give the next one", Kind, InFile, InMemory) {
  Kind kind;
  loaded(kind.store());
  std::promise<SaveOutcome> last;
  kind.store().save(percent_of_v2(1), {}, 0, [&](const SaveOutcome& outcome) {
    kind.store().save(percent_of_v2(2), {}, std::get<Saved>(outcome).revision,
                      [&](const SaveOutcome& next) { last.set_value(next); });
  });
  CHECK(std::get<Saved>(last.get_future().get()).revision == 2);
}

}  // namespace gray::control
