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

#include "supervisor/process/process_table.hpp"
#include "supervisor/worker_memory.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

/// Records the calls; the test decides the answers.
struct SlotHost final : Host {
  struct Probe {
    std::uint64_t id;
    Address address;
    std::string path;
  };
  std::vector<Probe> probes;
  std::vector<uid_t> owners;  // of the probes
  HttpProbe last_probe;
  int changes = 0;
  bool can_probe = true;
  bool has_cells = true;
  std::uint32_t sockets = 0;
  mutable int socket_questions = 0;
  std::set<std::uint32_t> cells;
  std::set<pid_t> groups;

  void workers_changed() override { ++changes; }
  bool probe(std::uint64_t id, std::uint32_t, const Address& address, uid_t owner, const HttpProbe& http,
             Duration) override {
    if (can_probe) probes.push_back({id, address, http.path});
    if (can_probe) last_probe = http;
    if (can_probe) owners.push_back(owner);
    return can_probe;
  }
  std::optional<std::uint32_t> take_cell() override {
    if (!has_cells) return std::nullopt;
    cells.insert(7);
    return 7;
  }
  void give_cell(std::uint32_t cell) override { CHECK(cells.erase(cell) == 1); }
  std::uint32_t open_sockets(std::uint32_t) const override {
    ++socket_questions;
    return sockets;
  }
  void group_started(pid_t pgid) override { CHECK(groups.insert(pgid).second); }
  void group_gone(pid_t pgid) override { CHECK(groups.erase(pgid) == 1); }
  bool carries_traffic(const std::string&, const std::string&) const override { return false; }
};

/// One slot with its machine, run like in the supervisor, without a version.
struct OneSlot {
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> stay{io.get_executor()};
  SlotHost host;
  CgroupTree cgroups;
  WorkerContext context{
      io, host, cgroups,
      "test-" + std::to_string(::getpid()) + "-" + std::to_string(Clock::now().time_since_epoch().count())};
  int wakes = 0;
  Worker worker{context, "v1", "web@v1#0", [this] { ++wakes; }};
  WorkerMachine machine;
  VersionSettings settings;
  std::optional<bool> answer = true;  // the answer to every probe; nothing: no answer
  std::vector<std::string> states;

  ~OneSlot() {
    feed({.kind = WorkerEvent::stop});
    CHECK(until([&] { return !machine.alive(); }));
    CHECK(host.cells.empty());
    CHECK(host.groups.empty());
  }

  WorkerState state() const { return machine.state(); }
  bool is(WorkerState wanted) const { return state() == wanted; }

  void shell(const std::string& script) { start({"/bin/sh", "-c", script}); }
  void start(std::vector<std::string> command) {
    settings.command = std::move(command);
    settings.cwd = "/";
    settings.health.path = "/healthz";
    machine.set_times(WorkerTimes::of(settings, true));
    feed({.kind = WorkerEvent::start});
  }

  // A version would answer `emptied` of a wanted worker with a delay from its policy.
  void feed(Event event) {
    if (event.kind == WorkerEvent::emptied && machine.wanted()) event = {.kind = WorkerEvent::retry, .delay = 1ms};
    const TimePoint now = Clock::now();
    const Actions actions = machine.on(event, now);
    if (actions.has(Action::changed)) {
      states.emplace_back(name(state()));
      worker.state_changed(now);
    }
    if (actions.has(Action::terminate)) worker.terminate();
    if (actions.has(Action::kill)) worker.kill();
    if (actions.has(Action::spawn) && !worker.start(settings, now))
      feed({.kind = WorkerEvent::no_resources, .delay = 1ms});
  }

  void turn() {
    for (const Event& event : worker.take_events()) feed(event);
    const TimePoint now = Clock::now();
    if (const auto deadline = machine.next_deadline(); deadline && *deadline <= now)
      feed({.kind = WorkerEvent::timeout});
    const std::size_t before = host.probes.size();
    worker.poll(state(), now);
    for (std::size_t i = before; answer && i < host.probes.size(); ++i)
      CHECK(worker.probed(host.probes[i].id, {*answer, *answer ? "" : "status 500"}, state(), now));
  }

  bool until(const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + 10s;
    for (turn(); !condition() && Clock::now() < end; turn()) io.run_one_for(5ms);
    return condition();
  }
};

/// Closes its listener on USR1, and opens it again on the next one.
const std::string kTakesTurns =
    "import os, signal, socket\n"
    "def listen():\n"
    "  listener = socket.socket()\n"
    "  listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
    "  listener.bind((os.environ['HOST'], int(os.environ['PORT'])))\n"
    "  listener.listen(5)\n"
    "  return listener\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
    "listener = listen()\n"
    "os.write(int(os.environ['GRAY_READY_FD']), b'READY=1\\n')\n"
    "while signal.sigwait([signal.SIGUSR1]): listener = listener.close() if listener else listen()\n";

const std::string kReadyAndRuns = "printf 'READY=1\\n' >&$GRAY_READY_FD; exec tail -f /dev/null";

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

TEST_CASE_FIXTURE(OneSlot, "only one probe is in flight at a time, and poll() reports when no router can probe") {
  answer.reset();
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::pipe};
  shell(kReadyAndRuns);
  REQUIRE(until([&] { return is(WorkerState::ready) && !host.probes.empty(); }));
  const TimePoint later = Clock::now() + 1s;
  CHECK_FALSE(worker.poll(state(), later).has_value());
  CHECK(host.probes.size() == 1);
  worker.forget_probe();
  host.can_probe = false;
  CHECK(worker.poll(state(), later + 1s) == false);
  host.can_probe = true;
  CHECK(worker.poll(state(), later + 2s) == true);
  CHECK_FALSE(worker.probed(host.probes.front().id, {true, ""}, state(), later));
  CHECK(worker.probed(host.probes.back().id, {true, ""}, state(), later));
}

TEST_CASE_FIXTURE(OneSlot, "a worker that sent ready is not healthy while a different program listens on its port") {
  std::optional<asio::ip::tcp::acceptor> stranger;
  answer.reset();
  shell(kReadyAndRuns);
  const std::uint16_t port = worker.view().address->port;
  stranger.emplace(io, asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), port});
  REQUIRE(until([&] { return is(WorkerState::ready); }));
  worker.forget_probe();
  answer = true;
  const std::size_t asked = host.probes.size();
  REQUIRE(until([&] { return host.probes.size() >= asked + 3; }));
  CHECK(is(WorkerState::ready));
  CHECK(worker.detail().find("127.0.0.1:" + std::to_string(port) + " is answered by pid ") == 0);
}

TEST_CASE_FIXTURE(OneSlot, "a healthy worker whose port is taken by a process of the same user gets no requests") {
  settings.health.interval = 10ms;
  start({"python3", "-c", kTakesTurns});
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  const std::uint16_t port = worker.view().address->port;
  const pid_t pid = worker.pid();
  std::optional<asio::ip::tcp::acceptor> stranger;
  ::kill(pid, SIGUSR1);
  REQUIRE(until([&] {  // as soon as the worker has closed its listener
    std::error_code error;
    stranger.emplace(io, asio::ip::tcp::v4());
    stranger->set_option(asio::socket_base::reuse_address(true));
    stranger->bind({asio::ip::address_v4::loopback(), port}, error);
    if (!error) stranger->listen(1, error);
    return !error;
  }));
  REQUIRE(until([&] { return machine.displaced(); }));
  CHECK(worker.detail() == "127.0.0.1:" + std::to_string(port) + " is answered by pid " + std::to_string(::getpid()) +
                               " (supervisor_test), not by this worker; stop that program");
  stranger.reset();
  ::kill(pid, SIGUSR1);
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  CHECK(worker.detail().empty());
  CHECK(worker.pid() == pid);
}

TEST_CASE_FIXTURE(OneSlot, "a router that finds a different user at the address is believed, unless it is the worker") {
  shell(kReadyAndRuns);
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  CHECK(worker.view().owner == ::geteuid());
  CHECK(host.owners.back() == ::geteuid());
  answer.reset();
  (void)worker.take_events();
  worker.met_stranger({::geteuid(), 0}, state(), Clock::now());  // a late report
  CHECK_FALSE(worker.has_events());
  worker.met_stranger({4711, 0}, state(), Clock::now());
  REQUIRE(until([&] { return machine.displaced(); }));
  CHECK(worker.detail().find(worker.view().address->text() + " is answered by uid 4711; expected ") == 0);

  worker.forget_probe();
  const std::size_t asked = host.probes.size();
  REQUIRE(until([&] { return host.probes.size() > asked; }));
  CHECK(worker.probed(host.probes.back().id, {true, "", PeerOwner{4711, 0}}, state(), Clock::now()));
  turn();
  CHECK(machine.displaced());
  answer = true;
  worker.forget_probe();
  CHECK(until([&] { return is(WorkerState::healthy); }));
}

TEST_CASE_FIXTURE(OneSlot,
                  "a worker that listens as a different user than it was started as is accepted as that user") {
  settings.listen = ListenMode::unix_path;
  answer.reset();
  shell(kReadyAndRuns);
  REQUIRE(until([&] { return is(WorkerState::ready) && !host.probes.empty(); }));
  const int before = host.changes;
  CHECK(worker.probed(host.probes.back().id, {false, "", PeerOwner{4711, worker.pid()}}, state(), Clock::now()));
  CHECK(worker.view().owner == 4711);
  CHECK(host.changes == before + 1);  // the owner is in the routing table
  CHECK_FALSE(worker.has_events());
  const std::size_t asked = host.probes.size();
  REQUIRE(until([&] { return host.probes.size() > asked; }));
  CHECK(host.owners.back() == 4711);
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

TEST_CASE_FIXTURE(OneSlot, "the failure of the last probe is reported for a worker that was ended because of it") {
  settings.ready.timeout = 300ms;
  answer = false;
  shell("exec tail -f /dev/null");
  REQUIRE(until([&] { return is(WorkerState::backoff); }));
  CHECK(machine.cause() == "ready-timeout");
  CHECK(worker.detail().find("last probe of 127.0.0.1:") == 0);
  CHECK(worker.detail().find(": status 500") != std::string::npos);
}

TEST_CASE_FIXTURE(OneSlot,
                  "what its program answers to probes is known while it starts, and forgotten when one passes") {
  settings.ready.automatic = false;
  settings.ready.ways = {ReadyWay::http};
  settings.health.host = "a.example";
  answer = false;
  shell("exec tail -f /dev/null");
  REQUIRE(until([&] { return !worker.failed_probe().empty(); }));
  CHECK(host.last_probe == settings.health);
  CHECK(is(WorkerState::spawned));
  CHECK(worker.complaint() == worker.failed_probe());
  CHECK(worker.complaint().find(": status 500") != std::string::npos);
  answer = true;
  REQUIRE(until([&] { return worker.failed_probe().empty(); }));
  CHECK(worker.complaint().empty());
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

TEST_CASE_FIXTURE(OneSlot, "a worker that answers has the expensive part of its start behind it, ready or not") {
  start({"python3", "-c",
         "import os, socket, time\n"
         "listener = socket.socket()\n"
         "listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
         "listener.bind((os.environ['HOST'], int(os.environ['PORT'])))\n"
         "listener.listen(5)\n"
         "time.sleep(300)\n"});
  CHECK_FALSE(worker.answers());
  const int before = wakes;
  REQUIRE(until([&] { return worker.answers(); }));
  CHECK(is(WorkerState::spawned));
  CHECK(wakes > before);  // the next worker may start
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
}

TEST_CASE_FIXTURE(OneSlot, "a retuned worker is probed by the new path at once, and ended by the new signal") {
  settings.health.interval = 1h;
  shell("trap 'exit 7' INT; printf 'READY=1\\n' >&$GRAY_READY_FD; while :; do sleep 0.01; done");
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  const std::size_t before = host.probes.size();
  settings.health.path = "/other";
  settings.health.host = "a.example";
  settings.stop.signal = SIGINT;
  worker.retune(settings, Clock::now());
  REQUIRE(until([&] { return host.probes.size() > before; }));
  CHECK(host.last_probe == HttpProbe{.path = "/other", .host = "a.example"});
  feed({.kind = WorkerEvent::stop});
  REQUIRE(until([&] { return is(WorkerState::idle); }));
  CHECK(machine.exit_text() == "exit 7");
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
