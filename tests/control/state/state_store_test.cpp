#include "control/state/state_store.hpp"

#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>

#include "config/base/archive.hpp"
#include "control/state/state_json.hpp"
#include "tests/control/fixture.hpp"

using namespace gray::control;

namespace {

State weighing(double percent) { return {{"web", {.stable = "v1", .weights = {{"v2", percent}}, .salts = {}}}}; }

/// Saves, waits until it is on disk, and returns the error.
std::string save(StateStore& store, const State& state) {
  std::promise<std::string> written;
  store.save(state, {"pid 1", "shift"}, store.revision(), [&](const SaveOutcome& outcome) {
    const auto* failed = std::get_if<SaveFailed>(&outcome);
    CHECK_FALSE(std::holds_alternative<Conflict>(outcome));
    written.set_value(failed == nullptr ? std::string() : failed->error);
  });
  return written.get_future().get();
}

State load(StateStore& store) {
  std::string warning = "untouched";
  State state = store.load(warning).state;
  CHECK(warning.empty());
  return state;
}

/// While this exists, files are accessed as an ordinary user, also by new threads, because root may write anywhere.
struct AsNobody {
  AsNobody() : before(::setfsuid(::geteuid() == 0 ? 65534 : ::geteuid())) {}
  ~AsNobody() { ::setfsuid(static_cast<uid_t>(before)); }
  int before;
};

}  // namespace

TEST_CASE("a saved state is loaded by the next grayd") {
  TempDir dir;
  {
    StateStore store(dir / "state");
    CHECK(load(store).empty());
    CHECK(save(store, weighing(20)).empty());
    CHECK(load(store) == weighing(20));
  }
  StateStore next(dir / "state");
  CHECK(load(next) == weighing(20));
}

TEST_CASE("a state can be read without its lock, and anything unreadable counts as empty") {
  TempDir dir;
  CHECK(StateStore::peek(dir / "state").empty());
  StateStore store(dir / "state");
  CHECK(StateStore::peek(dir / "state").empty());
  CHECK(save(store, weighing(20)).empty());
  CHECK(StateStore::peek(dir / "state") == weighing(20));
  std::ofstream(dir / "state/state.json") << "{";
  CHECK(StateStore::peek(dir / "state").empty());
}

TEST_CASE("the folder is made with its parents, for its owner only") {
  TempDir dir;
  StateStore store(dir / "a/b/state");
  struct stat info{};
  REQUIRE(::stat((dir / "a/b/state").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
}

TEST_CASE("a second grayd is refused with the pid of the first") {
  TempDir dir;
  StateStore first(dir / "state");
  std::string error = error_of([&] { StateStore second(dir / "state"); });
  CHECK(contains(error, dir / "state"));
  CHECK(contains(error, "(pid " + std::to_string(::getpid()) + ")"));
  CHECK(contains(error, "stop that one"));
}

TEST_CASE("the lock ends with its holder") {
  TempDir dir;
  {
    StateStore first(dir / "state");
  }
  CHECK_NOTHROW(StateStore(dir / "state"));
}

TEST_CASE("a damaged file is moved aside with a warning, and the state is empty") {
  TempDir dir;
  StateStore store(dir.path());
  write_file(dir / "state.json", "{\"schema_version\":1,\"serv");
  std::string warning;
  CHECK(store.load(warning).state.empty());
  CHECK(store.revision() == 0);
  CHECK(contains(warning, "state.json is damaged"));
  CHECK(contains(warning, "state.json.damaged"));
  CHECK(read_file(dir / "state.json.damaged") == "{\"schema_version\":1,\"serv");
  CHECK_FALSE(std::filesystem::exists(dir / "state.json"));
  CHECK(save(store, weighing(5)).empty());
  CHECK(load(store) == weighing(5));
}

TEST_CASE("the state of a newer grayd is refused and left untouched") {
  TempDir dir;
  StateStore store(dir.path());
  write_file(dir / "state.json", R"({"schema_version":9,"services":{}})");
  std::string warning;
  std::string error = error_of([&] { store.load(warning); });
  CHECK(contains(error, dir / "state.json"));
  CHECK(contains(error, "schema_version 9"));
  CHECK(contains(error, "run the grayd that wrote it"));
  CHECK(read_file(dir / "state.json") == R"({"schema_version":9,"services":{}})");
}

TEST_CASE("the temporary file of an interrupted save is ignored") {
  TempDir dir;
  {
    StateStore store(dir.path());
    CHECK(save(store, weighing(5)).empty());
  }
  write_file(dir / "state.json.tmp", "{\"schema_ver");
  StateStore store(dir.path());
  CHECK(load(store) == weighing(5));
  CHECK(save(store, weighing(6)).empty());
  CHECK(load(store) == weighing(6));
}

TEST_CASE("a file that cannot be read does not count as damaged") {
  TempDir dir;
  StateStore store(dir.path());
  std::filesystem::create_directory(dir / "state.json");
  std::string warning;
  CHECK(contains(error_of([&] { store.load(warning); }), "cannot read " + (dir / "state.json")));
  CHECK(std::filesystem::exists(dir / "state.json"));
}

TEST_CASE("a failed save is reported and does not change the old state") {
  TempDir dir;
  StateStore store(dir.path());
  CHECK(save(store, weighing(5)).empty());
  std::filesystem::create_directory(dir / "state.json.tmp");
  std::string error = save(store, weighing(6));
  CHECK(contains(error, "cannot write " + (dir / "state.json.tmp")));
  CHECK(load(store) == weighing(5));
  std::filesystem::remove(dir / "state.json.tmp");
  CHECK(save(store, weighing(7)).empty());
  CHECK(load(store) == weighing(7));
}

TEST_CASE("a folder that may not be written to is refused by name") {
  TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
  AsNobody nobody;
  std::string error = error_of([&] { StateStore store(dir.path()); });
  CHECK(contains(error, "cannot open " + (dir / "grayd.lock") + ": Permission denied"));
  CHECK(contains(error_of([&] { StateStore store(dir / "state"); }), "cannot create " + (dir / "state")));
}

TEST_CASE("a path that leads through a file is refused by name") {
  TempDir dir;
  write_file(dir / "file", "");
  CHECK(contains(error_of([&] { StateStore store(dir / "file"); }), "cannot open " + (dir / "file")));
  CHECK(contains(error_of([&] { StateStore store(dir / "file/a/state"); }), "cannot create the folder of"));
}

TEST_CASE("the destructor of the store writes the queued states in order") {
  TempDir dir;
  std::vector<int> answered;  // by the writer thread only
  {
    StateStore store(dir.path());
    for (int i = 1; i <= 50; ++i)
      store.save(weighing(i), {}, static_cast<Revision>(i - 1), [&, i](const SaveOutcome& outcome) {
        CHECK(std::get<Saved>(outcome).revision == static_cast<Revision>(i));
        CHECK(snapshot_from_json(read_file(dir / "state.json")).state == weighing(i));
        answered.push_back(i);
      });
  }
  CHECK(answered.size() == 50);
  CHECK(std::ranges::is_sorted(answered));
}

TEST_CASE("a file without revision is revision 0 with its state, and the next save is revision 1") {
  TempDir dir;
  StateStore store(dir.path());
  write_file(dir / "state.json", R"({"schema_version":1,"services":{"web":{"stable":"v1","weights":{"v2":5}}}})");
  CHECK(load(store) == weighing(5));
  CHECK(store.revision() == 0);
  CHECK(save(store, weighing(6)).empty());
  const auto next = snapshot_from_json(read_file(dir / "state.json"));
  CHECK(next.revision == 1);
  CHECK(next.by == Author{"pid 1", "shift"});
}

TEST_CASE("a stale save leaves the file as it is") {
  TempDir dir;
  StateStore store(dir.path());
  CHECK(save(store, weighing(5)).empty());
  const auto before = read_file(dir / "state.json");
  std::promise<void> refused;
  store.save(weighing(50), {}, 0, [&](const SaveOutcome& outcome) {
    CHECK(std::holds_alternative<Conflict>(outcome));
    refused.set_value();
  });
  refused.get_future().wait();
  CHECK(read_file(dir / "state.json") == before);
}

TEST_CASE("after an exec the store has folder and lock, and can save") {
  TempDir dir;
  auto* const before = new StateStore(dir / "state");  // an exec destroys nothing
  CHECK(save(*before, weighing(5)).empty());
  while (!before->idle()) std::this_thread::yield();
  gray::Save to;
  to("store", *before);
  const auto fds = to.fds();
  const auto written = nlohmann::json::parse(to.take().dump());
  gray::Load from(written, fds);
  StateStore after(dir / "state", gray::kRestored);
  from("store", after);
  CHECK(from.left().empty());
  CHECK(after.revision() == 1);
  CHECK(load(after) == weighing(5));
  CHECK(save(after, weighing(7)).empty());
  CHECK(load(after) == weighing(7));
  CHECK_THROWS_WITH_AS(StateStore(dir / "state"), doctest::Contains("in use by another grayd"), std::runtime_error);
  static StateStore* kept = nullptr;
  kept = before;
  CHECK(kept != nullptr);
}

TEST_CASE("a store is idle once the last save was reported") {
  TempDir dir;
  StateStore store(dir / "state");
  CHECK(store.idle());
  std::promise<void> told, go_on;
  store.save(weighing(1), {}, 0, [&](const SaveOutcome&) {
    told.set_value();
    go_on.get_future().wait();
  });
  told.get_future().wait();
  CHECK_FALSE(store.idle());
  go_on.set_value();
  while (!store.idle()) std::this_thread::yield();
  CHECK(load(store) == weighing(1));
}

TEST_CASE("a store that was never restored can be destroyed") {
  TempDir dir;
  const StateStore store(dir / "state", gray::kRestored);
  CHECK_FALSE(std::filesystem::exists(dir / "state"));
}
