#include "supervisor/worker.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/ip/tcp.hpp>
#include <cerrno>
#include <set>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/worker_memory.hpp"
#include "tests/supervisor/one_slot.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

/// A wrapper that ends at once on TERM, around a worker that does `on_term`.
std::string wrapped(const std::string& on_term) {
  return "(trap '" + on_term + "' TERM; echo up; while :; do sleep 0.01; done) & " +
         "printf 'READY=1\\n' >&$GRAY_READY_FD; wait";
}

bool said(const Worker& worker, const std::string& line) {
  const auto lines = worker.output().last(OutputTail::kLines);
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

/// The errno of a bind by a server without SO_REUSEADDR; 0 if it works.
int bind_error(std::uint16_t port) {
  const UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::bind(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

TEST_CASE_FIXTURE(OneSlot, "a slot gets ready by its pipe, healthy by its probes, and ends idle when it is stopped") {
  shell(kReadyAndRuns);
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  const WorkerView view = worker.view();
  CHECK(view.pid == worker.pid());
  CHECK(view.ready_by == "pipe");
  CHECK(view.generation == 1);
  CHECK(view.cell == 7);
  CHECK(host.groups == std::set<pid_t>{view.pid});
  CHECK(host.probes.back().path == "/healthz");
  CHECK(host.probes.back().address.port == view.address->port);
  CHECK(wakes > 0);

  feed({.kind = WorkerEvent::stop});
  REQUIRE(until([&] { return is(WorkerState::idle); }));
  CHECK(states == std::vector<std::string>{"spawned", "ready", "healthy", "stopping", "exited", "idle"});
  CHECK(machine.exit_text() == "signal 15");
  CHECK(worker.pid() == 0);
  CHECK(host.cells.empty());
  CHECK(host.groups.empty());
}

TEST_CASE_FIXTURE(OneSlot,
                  "a draining worker is polled once, and again after sockets were closed, until none is open") {
  shell(kReadyAndRuns);
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  host.sockets = 1;
  feed({.kind = WorkerEvent::drain});
  REQUIRE(until([&] { return host.socket_questions == 1; }));
  CHECK_FALSE(worker.next_poll(state()));
  worker.look_again(Clock::now());
  REQUIRE(until([&] { return host.socket_questions == 2; }));
  CHECK(is(WorkerState::draining));
  host.sockets = 0;
  worker.look_again(Clock::now());
  CHECK(until([&] { return is(WorkerState::idle); }));
}

TEST_CASE_FIXTURE(OneSlot, "a worker that dies before it is ready goes to back-off with its output, and starts again") {
  answer.reset();
  shell("echo 'no database'; exit 3");
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(machine.cause() == "died-before-ready");
  CHECK(machine.exit_text() == "exit 3");
  CHECK(worker.output().last(1) == std::vector<std::string>{"no database"});
  CHECK(worker.pid() == 0);
  CHECK(host.cells.empty());
  CHECK(host.groups.empty());
  REQUIRE(until([&] { return machine.startable(); }));
  const std::uint64_t late = host.probes.empty() ? 0 : host.probes.back().id;
  shell(kReadyAndRuns);
  CHECK_FALSE(worker.probed(late, {true, ""}, state(), Clock::now()));  // it was about the process before
  CHECK(worker.view().generation == 2);
  CHECK(until([&] { return is(WorkerState::ready); }));
}

TEST_CASE_FIXTURE(OneSlot, "a port is held for a worker, and released for the start after one that never got ready") {
  answer.reset();
  shell("exit 1");
  CHECK(bind_error(worker.view().address->port) == EADDRINUSE);
  REQUIRE(until([&] { return machine.startable(); }));
  shell(kReadyAndRuns);
  CHECK(bind_error(worker.view().address->port) == 0);
}

TEST_CASE_FIXTURE(OneSlot, "a program that cannot be run is reported with its errno and its path") {
  answer.reset();
  start({"/nonexistent/program"});
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(machine.cause() == "exec:ENOENT");
  CHECK(machine.exec_hopeless());
  CHECK(worker.detail().find("\"/nonexistent/program\"") != std::string::npos);
}

TEST_CASE_FIXTURE(OneSlot,
                  "a connect to a different program makes no worker ready, and the complaint names the program") {
  shell("exec tail -f /dev/null");
  const std::uint16_t port = worker.view().address->port;
  const asio::ip::tcp::acceptor stranger(io, {asio::ip::address_v4::loopback(), port});
  REQUIRE(until([&] { return !worker.detail().empty(); }));
  CHECK(is(WorkerState::spawned));
  const std::string complaint =
      "127.0.0.1:" + std::to_string(port) + " is answered by pid " + std::to_string(::getpid());
  CHECK(worker.detail().find(complaint) == 0);
}

TEST_CASE_FIXTURE(OneSlot, "a worker without a cell is not started, and no resource stays allocated") {
  host.has_cells = false;
  shell(kReadyAndRuns);
  CHECK(is(WorkerState::backoff));
  CHECK(machine.cause() == "resources");
  CHECK(worker.detail() == "no free cell for a worker in the shared segment; run fewer workers");
  CHECK(worker.pid() == 0);
}

TEST_CASE_FIXTURE(OneSlot, "a worker whose first process leaves others behind is reported as daemonised") {
  answer.reset();
  shell("tail -f /dev/null & exit 0");
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(machine.cause() == "daemonised");
  CHECK(machine.exit_text() == "exit 0");
  CHECK(worker.detail().find("its first process ended while pid ") == 0);
  CHECK(worker.detail().find("of it is still running; keep it in the foreground") != std::string::npos);
}

TEST_CASE_FIXTURE(OneSlot,
                  "a channel that was closed without a message is not a failure, and is reported if the start fails") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::fd};
  settings.ready.fd = 7;
  shell("exec 7>&-; exec tail -f /dev/null");
  REQUIRE(until([&] { return !worker.complaint().empty(); }));
  CHECK(is(WorkerState::spawned));
  feed({.kind = WorkerEvent::timeout});
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(machine.cause() == "ready-timeout");
  CHECK(worker.detail().find("it closed its channel (fd:7) before it wrote a newline") == 0);
}

TEST_CASE_FIXTURE(OneSlot, "the closed channels of an ended program are not its failure") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::pipe};
  shell("exit 3");
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(worker.detail().empty());
}

TEST_CASE_FIXTURE(OneSlot, "a worker can extend its start, and its STATUS is shown") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::notify};
  settings.ready.timeout = 10s;
  shell("systemd-notify EXTEND_TIMEOUT_USEC=60000000 STATUS=migrating; exec tail -f /dev/null");
  REQUIRE(until([&] { return worker.view().status == "migrating"; }));
  REQUIRE(until([&] { return *machine.next_deadline() > Clock::now() + 30s; }));
  CHECK(is(WorkerState::spawned));
}

TEST_CASE_FIXTURE(OneSlot, "a unix socket is in the folder of its process, at a new path each time") {
  settings.listen = ListenMode::unix_path;
  answer.reset();
  shell("echo $GRAY_SOCKET; exit 1");
  const auto first = worker.view().address;
  REQUIRE(until([&] { return machine.startable(); }));
  CHECK(worker.output().last(1).front() == first->path);
  CHECK(first->kind == Address::Kind::unix_path);
  shell(kReadyAndRuns);
  CHECK(worker.view().address->path != first->path);
}

TEST_CASE_FIXTURE(OneSlot, "an inherited socket is passed from process to process, in blocking mode") {
  settings.listen = ListenMode::inherited;
  shell("exit 1");
  const auto first = worker.view().address;
  REQUIRE(until([&] { return machine.startable(); }));
  CHECK(bind_error(first->port) == EADDRINUSE);
  shell("echo $LISTEN_PID $$ $LISTEN_FDS $LISTEN_FDNAMES; " + kReadyAndRuns);
  CHECK(worker.view().address == first);
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  REQUIRE(until([&] { return !worker.output().last(1).empty(); }));  // it may be healthy before its output is read
  const std::string pid = std::to_string(worker.pid());
  CHECK(worker.output().last(1).front() == pid + " " + pid + " 1 http");
}

TEST_CASE_FIXTURE(OneSlot, "a missing user is reported with the remedy") {
  settings.user = "no-such-user-here";
  shell(kReadyAndRuns);
  CHECK(is(WorkerState::backoff));
  CHECK(worker.detail() == "there is no user \"no-such-user-here\" on this host; create it or correct user");
}

TEST_CASE_FIXTURE(OneSlot,
                  "a worker that is stopped has not daemonised, even if its first process leaves others behind") {
  answer = false;
  settings.stop.timeout = 1s;  // a shell that has just forked may lose the signal
  shell("trap 'exit 0' TERM; tail -f /dev/null & echo up; wait");
  REQUIRE(until([&] { return !worker.output().last(1).empty(); }));
  feed({.kind = WorkerEvent::timeout});
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(machine.exit_text() == "exit 0");
  CHECK(machine.cause() == "ready-timeout");
  CHECK(worker.detail().find("last probe of ") == 0);
}

TEST_CASE_FIXTURE(OneSlot, "a worker whose wrapper ends first has its stop.timeout") {
  for (const WorkerEvent how : {WorkerEvent::stop, WorkerEvent::dismiss, WorkerEvent::drain}) {
    CAPTURE(name(how));
    OneSlot one;
    one.shell(wrapped("sleep 0.3; echo finished; exit 0"));
    REQUIRE(one.until([&] { return one.is(WorkerState::healthy) && !one.worker.output().last(1).empty(); }));
    one.feed({.kind = how});
    REQUIRE(one.until([&] { return one.is(WorkerState::idle); }));
    CHECK(said(one.worker, "finished"));
    CHECK(one.machine.cause() == "stopped");
    CHECK(one.machine.exit_text() == "signal 15");
    CHECK(one.worker.detail().empty());
  }
}

TEST_CASE_FIXTURE(OneSlot, "what a wrapper leaves is killed after stop.timeout, not before, and is named") {
  settings.stop.timeout = 300ms;
  shell(wrapped("echo ignored"));
  REQUIRE(until([&] { return is(WorkerState::healthy) && !worker.output().last(1).empty(); }));
  const TimePoint begin = Clock::now();
  feed({.kind = WorkerEvent::stop});
  REQUIRE(until([&] { return is(WorkerState::idle); }));
  CHECK(Clock::now() - begin >= 300ms);
  CHECK(machine.cause() == "stop-timeout");
  CHECK(machine.exit_text() == "signal 15");
  CHECK(worker.detail().starts_with("its first process ended, but pid "));
  CHECK(worker.detail().find(" did not within 300ms of SIGTERM and was killed; if it ends on another signal, ") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(OneSlot, "a rest that ends at the very end of stop.timeout has no name") {
  shell(wrapped("echo ignored"));
  REQUIRE(until([&] { return is(WorkerState::healthy) && !worker.output().last(1).empty(); }));
  feed({.kind = WorkerEvent::stop});
  REQUIRE(until([&] { return worker.waits(WorkerState::healthy); }));
  const TimePoint end = Clock::now() + 10s;
  while (!worker.members().empty() && Clock::now() < end)
    for (const pid_t pid : worker.members()) ::kill(pid, SIGKILL);
  feed({.kind = WorkerEvent::timeout});
  CHECK(worker.detail().starts_with("its first process ended, but another one of its group did not within 10s of "));
}

TEST_CASE_FIXTURE(OneSlot, "a draining worker whose wrapper ends goes on draining") {
  host.sockets = 1;
  shell(wrapped("echo finished; exit 0"));
  REQUIRE(until([&] { return is(WorkerState::healthy) && !worker.output().last(1).empty(); }));
  feed({.kind = WorkerEvent::drain});
  ::kill(worker.pid(), SIGKILL);  // only the wrapper
  REQUIRE(until([&] { return worker.waits(WorkerState::healthy); }));
  CHECK(is(WorkerState::draining));
  host.sockets = 0;
  worker.look_again(Clock::now());
  REQUIRE(until([&] { return is(WorkerState::idle); }));
  CHECK(said(worker, "finished"));
}

TEST_CASE_FIXTURE(OneSlot, "a program that ignores its stop signal is reported with the signal and the time") {
  settings.stop = {.signal = SIGINT, .timeout = 200ms};
  shell("trap '' INT; printf 'READY=1\\n' >&$GRAY_READY_FD; while :; do sleep 0.01; done");
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  feed({.kind = WorkerEvent::stop});
  REQUIRE(until([&] { return is(WorkerState::idle); }));
  CHECK(machine.cause() == "stop-timeout");
  CHECK(machine.exit_text() == "signal 9");
  CHECK(worker.detail() ==
        "it did not end within 200ms of SIGINT and was killed; if it ends on another signal, set stop.signal "
        "(docs/workers.md lists programs)");
}

TEST_CASE_FIXTURE(OneSlot, "the memory of all processes of a slot is checked at intervals, if it is limited") {
  shell("sleep 300 & " + kReadyAndRuns);
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  const TimePoint now = Clock::now();
  CHECK_FALSE(worker.to_weigh(state(), now));
  CHECK_FALSE(worker.next_weigh(state()));
  settings.memory = 1 << 20;
  worker.retune(settings, now);
  CHECK(worker.memory_limit() == 1 << 20);
  CHECK_FALSE(worker.to_weigh(WorkerState::unhealthy, now));
  CHECK(worker.to_weigh(state(), now));
  CHECK(resident_bytes_of({&worker}).at(worker.pid()) > resident_bytes(worker.pid()));  // only the first process
  const TimePoint next = *worker.next_weigh(state());
  CHECK_FALSE(worker.to_weigh(state(), next - 1ms));
  CHECK(worker.to_weigh(state(), next));
  CHECK(worker.next_weigh(state()) == next + Worker::kWeigh);  // a tick that all workers share
}
