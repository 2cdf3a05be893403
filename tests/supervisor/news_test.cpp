#include "supervisor/news.hpp"

#include <algorithm>
#include <csignal>

#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

struct Reported : Running {
  using Kinds = std::vector<std::string>;

  static VersionSettings server() { return node(std::string(kServer) + ", () => process.send('ready'))"); }
  Kinds kinds() const {
    Kinds names;
    for (const auto& event : host.events) names.emplace_back(name_of(event.kind));
    return names;
  }
  std::ptrdiff_t count(EventKind kind) const { return std::ranges::count(host.events, kind, &EventRecord::kind); }
  const EventRecord& of(EventKind kind) const { return *std::ranges::find(host.events, kind, &EventRecord::kind); }
};

}  // namespace

TEST_CASE_FIXTURE(Reported, "each step of a worker is one event, with its pid") {
  supervisor->apply("web", server());
  REQUIRE(until([&] { return is(VersionState::serving); }));
  const pid_t pid = worker().pid;
  CHECK(kinds() == Kinds{"worker-started", "worker-ready", "worker-healthy"});
  for (const auto& event : host.events) {
    CHECK(event.pid == pid);
    CHECK(event.worker == "web@v1#0");
  }
  CHECK(of(EventKind::worker_ready).cause == "ipc");
  host.events.clear();
  ::kill(pid, SIGKILL);
  REQUIRE(until([&] { return worker().pid > 0 && worker().pid != pid && is(VersionState::serving); }));
  CHECK(kinds() == Kinds{"worker-exited", "worker-backoff", "worker-started", "worker-ready", "worker-healthy"});
  CHECK(host.events.front().cause == "signal 9");
  CHECK(host.events.front().pid == pid);
}

TEST_CASE_FIXTURE(Reported, "the failure of a version is reported once, after its failed starts") {
  supervisor->apply("web", shell("echo no database; exit 3"));
  REQUIRE(until([&] { return is(VersionState::failed); }));
  pass(100ms);
  CHECK(count(EventKind::worker_started) == 3);
  CHECK(count(EventKind::worker_exited) == 3);
  CHECK(count(EventKind::worker_backoff) == 2);
  CHECK(count(EventKind::version_failed) == 1);
  CHECK(of(EventKind::version_failed).cause == "died-before-ready");
  CHECK(of(EventKind::worker_exited).cause == "died-before-ready");
  CHECK(of(EventKind::worker_exited).text == "died-before-ready (exit 3)");
  CHECK(of(EventKind::version_failed).text.find("\"no database\"") != std::string::npos);
}

TEST_CASE_FIXTURE(Reported, "a version with traffic that crashes repeatedly is reported once, and restarted") {
  VersionSettings settings = shell("echo 'READY=1' >&$GRAY_READY_FD; exit 3");
  settings.instances = 6;
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return count(EventKind::version_crashing) > 0 && count(EventKind::worker_exited) > 14; }));
  CHECK(count(EventKind::version_crashing) == 1);
  CHECK(of(EventKind::version_crashing).cause == "exit 3");
  CHECK(of(EventKind::version_crashing).text.find("more than 10 exits within 300 s") == 0);
  CHECK_FALSE(is(VersionState::failed));
}

TEST_CASE_FIXTURE(Reported, "a missing program is reported with its errno") {
  VersionSettings settings = shell("");
  settings.command = {"/nonexistent/program"};
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return is(VersionState::failed); }));
  CHECK(of(EventKind::worker_exited).cause == "exec:ENOENT");
  CHECK(count(EventKind::version_failed) == 1);
}

TEST_CASE_FIXTURE(Reported, "a process that cannot be created is not a start, only a back-off with the cause") {
  host.most_cells = 0;
  supervisor->apply("web", shell("sleep 100"));
  REQUIRE(until([&] { return worker_is(WorkerState::backoff); }));
  CHECK(kinds() == Kinds{"worker-backoff"});
  CHECK(host.events.front().cause == "resources");
}

TEST_CASE_FIXTURE(Reported, "the begin, the end and the rollback of a restart are reported once") {
  supervisor->apply("web", server());
  REQUIRE(until([&] { return is(VersionState::serving); }));
  supervisor->restart("web", "v1");
  REQUIRE(until([&] { return count(EventKind::version_restarted) == 1; }));
  REQUIRE(until([&] { return version().workers.size() == 1; }));
  CHECK(count(EventKind::version_restarting) == 1);
  CHECK(count(EventKind::version_rolled_back) == 0);

  host.events.clear();
  VersionSettings broken = server();
  broken.command = {"sh", "-c", "exit 7"};
  supervisor->apply("web", broken);
  REQUIRE(until([&] { return count(EventKind::version_rolled_back) == 1; }));
  pass(100ms);
  CHECK(count(EventKind::version_restarting) == 1);
  CHECK(count(EventKind::version_rolled_back) == 1);
  CHECK(count(EventKind::version_restarted) == 0);
  CHECK(of(EventKind::version_rolled_back).text.find("exit 7") != std::string::npos);

  const auto outputs = supervisor->outputs();
  CHECK(outputs.size() == 3);  // of the running worker and of two ended ones
}
