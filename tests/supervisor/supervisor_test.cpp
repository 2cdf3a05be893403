#include "supervisor/supervisor.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>

#include "config/base/sanitized.hpp"
#include "supervisor/kernel/process_table.hpp"
#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

const std::string kListening = std::string(kServer) + ")";

std::string listening_then(const std::string& then) { return std::string(kServer) + ", () => { " + then + " })"; }

bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }

/// The number of read calls of this thread; 0 if the kernel does not count them.
std::uint64_t reads_so_far() {
  const std::string text = read_file("/proc/thread-self/io");
  const std::size_t at = text.find("syscr: ");
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + 7));
}

}  // namespace

TEST_CASE_FIXTURE(Running, "a Node worker that sends ready over IPC becomes healthy by it") {
  const TimePoint begin = Clock::now();
  supervisor->apply("web", node(listening_then("process.send('ready')")));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  const WorkerView view = worker();
  CHECK(view.id == "web@v1#0");
  CHECK(view.state == WorkerState::healthy);
  CHECK(view.ready_by == "ipc");
  CHECK(view.routable);
  CHECK(view.pid > 0);
  CHECK(view.started >= begin);
  CHECK(view.started <= Clock::now());
  CHECK(view.generation > 0);
  CHECK(host.groups.contains(view.pid));
  CHECK(host.changes > 0);
}

TEST_CASE_FIXTURE(Running, "a worker that sends no message becomes ready by connects over one second") {
  const TimePoint begin = Clock::now();
  supervisor->apply("web", node(kListening));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  CHECK(worker().ready_by == "tcp");
  CHECK(Clock::now() - begin >= 1s);
}

TEST_CASE_FIXTURE(Running, "the memory of a worker is that of all its processes") {
  supervisor->apply("web", shell("node -e 'setInterval(() => {}, 1000)' & printf 'READY=1\\n' >&$GRAY_READY_FD; wait"));
  REQUIRE(until([&] { return worker_is(WorkerState::ready); }));
  const std::uint64_t node = 20 << 20;  // at least
  CHECK(resident_bytes(worker().pid) < node);
  CHECK(until([&] { return supervisor->resident_bytes(worker().pid) > node; }));
  CHECK(supervisor->memory_bytes(worker().pid) > node);
}

TEST_CASE_FIXTURE(Running, "a worker that writes READY=1 is ready by the pipe, and healthy once it answers") {
  supervisor->apply("web", node("require('fs').writeSync(+process.env.GRAY_READY_FD, 'READY=1\\n'); setTimeout(() => " +
                                kListening + ", 300)"));
  REQUIRE(until([&] { return worker_is(WorkerState::ready); }));
  CHECK_FALSE(worker().routable);
  CHECK(worker().ready_by == "pipe");
  REQUIRE(until([&] { return worker_is(WorkerState::healthy); }));
}

TEST_CASE_FIXTURE(Running, "a Node worker that sends a handle gets an answer, and its ready message still arrives") {
  supervisor->apply("web",
                    node("const s = " + listening_then("process.send('x', s, () => {}); process.send('ready')")));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  CHECK(worker().ready_by == "ipc");
}

TEST_CASE_FIXTURE(Running, "a worker that never gets ready is started three times, then the version has failed") {
  VersionSettings settings = shell("echo warming up; exec sleep 100");
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::pipe};
  settings.ready.timeout = 200ms;
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return is(VersionState::failed); }));
  CHECK(version().cause.find("service web, version v1, worker web@v1#0: ready-timeout (signal 15); its last lines:") ==
        0);
  CHECK(version().cause.find("\"warming up\"") != std::string::npos);
  CHECK(worker().state == WorkerState::failed);
  CHECK(worker().restarts == 2);
  CHECK(worker().last_exit == "ready-timeout");
}

TEST_CASE_FIXTURE(Running, "a worker that dies before it is ready is reported with its exit and its last output") {
  supervisor->apply("web", shell("echo out; echo 'no database' >&2; exit 3"));
  REQUIRE(until([&] { return is(VersionState::failed); }));
  CHECK(version().cause.find("died-before-ready (exit 3)") != std::string::npos);
  CHECK(version().cause.find("\"no database\"") != std::string::npos);
  CHECK(supervisor->output("web@v1#0").size() == 6);
}

TEST_CASE_FIXTURE(Running, "a missing program fails at once, with what to check") {
  VersionSettings settings = shell("");
  settings.command = {"/nonexistent/program"};
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return is(VersionState::failed); }, 2s));
  CHECK(worker().last_exit == "exec:ENOENT");
  CHECK(version().cause.find("cannot run \"/nonexistent/program\"") != std::string::npos);
  supervisor->apply("web", node(listening_then("process.send('ready')")));
  CHECK(until([&] { return is(VersionState::serving); }));
}

TEST_CASE_FIXTURE(Running, "a worker whose health check fails never gets traffic") {
  VersionSettings settings = node(listening_then("process.send('ready')"));
  settings.health.path = "/broken";
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return worker_is(WorkerState::ready); }));
  pass(500ms);
  CHECK(worker_is(WorkerState::ready));
}

TEST_CASE_FIXTURE(
    Running,
    "a worker with traffic that crashes is restarted, in another generation, with what it left behind killed") {
  supervisor->apply("web", node("require('child_process').spawn('sleep', ['100'], {detached: true});" +
                                listening_then("process.send('ready')")));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  const WorkerView before = worker();
  ::kill(before.pid, SIGKILL);
  REQUIRE(until([&] { return worker().generation > before.generation && worker_is(WorkerState::healthy); }));
  CHECK(worker().restarts == 1);
  CHECK(worker().last_exit == "signal 9");
  for (const ProcessInfo& process : all_processes())
    if (process.state != 'Z')
      CHECK_FALSE((has_variable(process.pid, "GRAY_INSTANCE=" + instance) &&
                   has_variable(process.pid, "GRAY_GENERATION=" + std::to_string(before.generation))));
}

TEST_CASE_FIXTURE(Running, "a message that was written just before the end is handled before the end") {
  VersionSettings settings = shell("printf 'READY=1\\n' >&$GRAY_READY_FD; exit 4");
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return worker_is(WorkerState::backoff); }));
  CHECK(worker().last_exit == "exit 4");
}

TEST_CASE_FIXTURE(Running, "a worker that ignores SIGTERM, suspended or not, is killed after its timeout") {
  supervisor->apply("web", shell("trap '' TERM; while :; do sleep 1; done"));
  REQUIRE(until([&] { return worker().pid > 0; }));
  pass(200ms);
  const pid_t pid = worker().pid;
  const TimePoint begin = Clock::now();
  supervisor->remove("web", "v1");
  REQUIRE(until([&] { return supervisor->view().empty(); }));
  CHECK(Clock::now() - begin >= 1s);
  CHECK(Clock::now() - begin < 3s);
  CHECK_FALSE(alive(pid));
}

TEST_CASE_FIXTURE(Running, "a draining worker is stopped only when no router holds a socket to it") {
  supervisor->apply("web", node(listening_then("process.send('ready')")));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  host.sockets = 1;
  supervisor->drain("web", "v1");
  REQUIRE(until([&] { return worker_is(WorkerState::draining); }));
  pass(200ms);
  CHECK(worker_is(WorkerState::draining));
  host.sockets = 0;
  supervisor->sockets_closed();
  CHECK(until([&] { return is(VersionState::stopped); }, 2s));
}

TEST_CASE_FIXTURE(Running, "a drain ends with its timeout even if sockets stay open") {
  VersionSettings settings = node(listening_then("process.send('ready')"));
  settings.drain_timeout = 200ms;
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return is(VersionState::serving); }));
  host.sockets = 1;
  supervisor->drain("web", "v1");
  CHECK(until([&] { return is(VersionState::stopped); }, 3s));
}

TEST_CASE_FIXTURE(Running, "after a failed replacement the old worker serves, and the cause is shown") {
  supervisor->apply("web", node(listening_then("process.send('ready')")));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  const pid_t pid = worker().pid;
  supervisor->apply("web", shell("echo broken; exit 1"));
  REQUIRE(until([&] { return version().cause.find("broken") != std::string::npos; }));
  CHECK(is(VersionState::serving));
  CHECK(version().workers.size() == 1);
  CHECK(worker().pid == pid);
}

TEST_CASE_FIXTURE(Running, "during a restart there is always a routable worker") {
  supervisor->apply("web", node(listening_then("process.send('ready')")));
  REQUIRE(until([&] { return is(VersionState::serving); }));
  const pid_t pid = worker().pid;
  supervisor->restart("web", "v1");
  bool gap = false;
  CHECK(until([&] {
    gap = gap || !is(VersionState::serving);
    return version().workers.size() == 1 && worker().pid != pid;
  }));
  CHECK_FALSE(gap);
}

TEST_CASE_FIXTURE(Running, "while no router can probe, probe deadlines are paused, and continue afterwards") {
  host.can_probe = false;
  supervisor->probing_possible(false);
  VersionSettings settings = node(kListening);
  settings.ready.timeout = 1500ms;
  supervisor->apply("web", settings);
  pass(2s);
  CHECK(worker_is(WorkerState::spawned));
  host.can_probe = true;
  supervisor->probing_possible(true);
  CHECK(until([&] { return is(VersionState::serving); }));
}

TEST_CASE_FIXTURE(Running, "a worker without a free cell waits in back-off, with that cause") {
  host.most_cells = 0;
  supervisor->apply("web", shell("sleep 100"));
  REQUIRE(until([&] { return worker_is(WorkerState::backoff); }));
  CHECK(worker().last_exit == "resources");
  CHECK(version().cause.find("no free cell") != std::string::npos);
  CHECK(is(VersionState::starting));
}

TEST_CASE_FIXTURE(Running, "a flood of output neither blocks the worker nor fills the memory") {
  supervisor->apply("web", shell("yes 'a line of output' & exec yes 'another one' >&2"));
  REQUIRE(until([&] { return worker().pid > 0; }));
  pass(500ms);
  const std::uint64_t before = resident_bytes(::getpid());
  pass(1500ms);
  // The address sanitizer does not use freed memory again.
  if (!kSanitized) CHECK(resident_bytes(::getpid()) < before + (8u << 20));
  CHECK(supervisor->output("web@v1#0").size() == OutputTail::kLines);
}

TEST_CASE_FIXTURE(Running, "a view of many workers makes no read calls") {
  VersionSettings settings = shell("printf 'READY=1\\n' >&$GRAY_READY_FD; exec sleep 100");
  settings.instances = 8;
  supervisor->apply("web", settings);
  const auto has_process = [](const WorkerView& worker) { return worker.pid > 0; };
  REQUIRE(until([&] { return std::ranges::count_if(version().workers, has_process) == 8; }));
  const std::uint64_t first = reads_so_far(), second = reads_so_far();
  const auto views = supervisor->view();
  const std::uint64_t third = reads_so_far();
  CHECK(views.front().workers.size() == 8);
  CHECK(third - second == second - first);  // the reads of the counting itself
}

TEST_CASE_FIXTURE(Running, "a stranger on the port of a worker does not make it ready") {
  VersionSettings settings = shell("exec sleep 100");
  settings.ready.timeout = 800ms;
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return worker().address.has_value(); }));
  const Address address = *worker().address;
  const UniqueFd thief(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(thief.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  REQUIRE(::bind(thief.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  REQUIRE(::listen(thief.get(), 64) == 0);
  REQUIRE(until([&] { return !version().cause.empty(); }));  // reported as soon as it is detected, not only at the end
  CHECK(version().cause.find("worker web@v1#0: " + address.text() + " is answered by pid ") == 0);
  REQUIRE(until([&] { return version().cause.find("ready-timeout") != std::string::npos; }));
  CHECK(version().cause.find("not by this worker") != std::string::npos);
}

TEST_CASE_FIXTURE(Running, "a server without SO_REUSEADDR gets its port at the second try") {
  const std::string server =
      "import os, socket, time\n"
      "s = socket.socket(); s.bind(('127.0.0.1', int(os.environ['PORT']))); s.listen(64)\n"
      "os.write(int(os.environ['GRAY_READY_FD']), b'READY=1\\n'); time.sleep(100)\n";
  VersionSettings settings = shell("");
  settings.command = {"python3", "-c", server};
  if (::access("/usr/bin/python3", X_OK) != 0) return;
  supervisor->apply("web", settings);
  REQUIRE(until([&] { return is(VersionState::serving); }));
  CHECK(worker().restarts == 1);
}

TEST_CASE_FIXTURE(Running, "stop_all ends everything, whatever it is doing") {
  VersionSettings settings = node(listening_then("process.send('ready')"));
  settings.instances = 2;
  supervisor->apply("web", settings);
  supervisor->apply("api", shell("trap '' TERM; sleep 100"));
  REQUIRE(until([&] { return host.groups.size() >= 2; }));
}

TEST_CASE("the destructor kills the workers and removes the cgroup") {
  asio::io_context io;
  FakeHost host(io);
  auto supervisor = std::make_unique<Supervisor>(io, host, "destroyed");
  host.supervisor = supervisor.get();
  supervisor->apply("web", Running::shell("trap '' TERM; sleep 100"));
  for (const TimePoint end = Clock::now() + 5s; host.groups.empty() && Clock::now() < end;) io.run_one_for(10ms);
  REQUIRE(host.groups.size() == 1);
  const pid_t pid = *host.groups.begin();
  const std::string cgroup = supervisor->cgroup_path();
  supervisor.reset();
  CHECK_FALSE(alive(pid));
  CHECK(host.groups.empty());
  struct stat info{};
  CHECK((cgroup.empty() || ::stat(cgroup.c_str(), &info) != 0));
  io.run_for(50ms);
}
