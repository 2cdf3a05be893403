#include "supervisor/version.hpp"

#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

struct OneVersion : FakeContext {
  int wakes = 0;
  Version version{context, [this] { ++wakes; }, "web", "v1", 1};
};

}  // namespace

TEST_CASE_FIXTURE(OneVersion, "a worker is created at its first use, with the name of its slot") {
  Worker& worker = version.worker(3);
  CHECK(worker.id() == "web@v1#3");
  CHECK(version.id_of(3) == "web@v1#3");
  CHECK(&version.worker(3) == &worker);
  CHECK(version.workers.size() == 1);
}

TEST_CASE_FIXTURE(OneVersion, "a view names every slot, also those that never had a process") {
  VersionSettings settings = Running::shell("exit");
  settings.instances = 2;
  version.group.apply(settings, now);
  const auto view = version.view(true);
  CHECK(view.service == "web");
  CHECK(view.version == "v1");
  CHECK(view.state == VersionState::starting);
  REQUIRE(view.workers.size() == 2);
  CHECK(view.workers[1].id == "web@v1#1");
  CHECK(view.workers[1].state == WorkerState::idle);
  CHECK(view.workers[1].pid == 0);
  CHECK_FALSE(view.replacement);
}

TEST_CASE_FIXTURE(
    OneVersion,
    "the cause of a version that is not up is its last failure; of one that is up, the failure of a replacement") {
  version.failure = "service web: no database";
  version.group.apply(Running::shell("exit"), now);
  CHECK(version.view(true).cause == version.failure);
  version.group.stop(WorkerEvent::stop, now);
  CHECK(version.view(true).cause.empty());
  version.rolled_back = "exit 3";
  CHECK(version.view(true).cause == "replacement stopped: exit 3");
}

TEST_CASE_FIXTURE(OneVersion, "the cause of a version names the worker whose address was taken, even if it serves") {
  version.group.apply(Running::shell("exit"), now);
  version.worker(0);
  for (const WorkerEvent event : {WorkerEvent::start, WorkerEvent::executed, WorkerEvent::said_ready,
                                  WorkerEvent::probe_ok, WorkerEvent::probe_ok, WorkerEvent::address_taken})
    version.group.on(0, {.kind = event}, true, now);
  CHECK(version.view(true).cause == "worker web@v1#0 gets no requests: ");
  version.group.on(0, {.kind = WorkerEvent::probe_ok}, true, now);
  CHECK(version.view(true).cause.empty());
}

TEST_CASE_FIXTURE(OneVersion, "a replacement that was stopped has a cause") {
  version.group.apply(Running::shell("exit"), now);
  version.group.restart(now);
  CHECK(version.view(true).replacement->state == ReplacementState::running);
  version.group.stop(WorkerEvent::stop, now);
  CHECK(version.view(true).replacement == ReplacementView{1, ReplacementState::failed, 0, 1, "stopped"});
}

TEST_CASE_FIXTURE(OneVersion, "a version with a live slot that has no worker is refused") {
  version.group.apply(Running::shell("exit"), now);
  version.group.on(0, {.kind = WorkerEvent::start}, true, now);
  version.worker(0);
  Save save;
  version.archive(save);
  auto json = save.take();
  Version whole{context, [] {}, "web", "v1", 1};
  Load good(json, std::set<int>{});
  whole.archive(good);
  CHECK(whole.workers.size() == 1);
  json["workers"] = nlohmann::json::array();
  Version broken{context, [] {}, "web", "v1", 1};
  Load bad(json, std::set<int>{});
  CHECK_THROWS_WITH_AS(broken.archive(bad), doctest::Contains("workers"), JsonMismatch);
}

TEST_CASE_FIXTURE(OneVersion, "only workers that are touched or due are looked at") {
  VersionSettings settings = Running::shell("exec sleep 100");
  settings.instances = 8;
  version.group.apply(settings, now);
  for (unsigned slot = 0; slot < 8; ++slot) {
    version.worker(slot);
    version.note(slot);
  }
  const std::uint64_t before = version.visits;
  version.touch(3);
  CHECK(wakes == 1);
  CHECK(version.touched == std::set<unsigned>{3});
  CHECK_FALSE(version.look_again(now));  // none waits
  CHECK(version.visits == before);
  CHECK_FALSE(version.due.next());  // none has a process
}

TEST_CASE_FIXTURE(OneVersion, "the worker of a slot that is gone is removed, and the output of the last ones is kept") {
  for (unsigned slot = 0; slot < 3; ++slot) {
    version.worker(slot);
    version.note(slot);
  }
  CHECK(version.gone.size() == 3);
  version.clean_up(2);
  CHECK(version.workers.empty());
  CHECK(version.gone.empty());
  REQUIRE(version.retired.size() == 2);
  CHECK(version.retired.front().first == "web@v1#1");
}
