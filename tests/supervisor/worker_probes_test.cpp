#include <doctest/doctest.h>
#include <signal.h>

#include <asio/ip/tcp.hpp>

#include "supervisor/kernel/socket_owner.hpp"
#include "tests/supervisor/one_slot.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

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

}  // namespace

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

TEST_CASE_FIXTURE(
    OneSlot, "a healthy worker is looked at instead of connected to, but for every tenth check and when in doubt") {
  health_path.clear();
  settings.health.interval = 1s;
  start({"python3", "-c", kTakesTurns});
  REQUIRE(until([&] { return is(WorkerState::healthy); }));
  TimePoint now = Clock::now();
  constexpr Duration kLater = 2s;  // a check is due at most one and a half intervals after the last one
  const auto probes_of = [&](int checks) {
    const std::size_t before = host.probes.size();
    for (int i = 0; i < checks; ++i) {
      now += kLater;
      const std::size_t asked = host.probes.size();
      (void)worker.poll(state(), now);
      if (host.probes.size() > asked) CHECK(worker.probed(host.probes.back().id, {true, ""}, state(), now));
    }
    return host.probes.size() - before;
  };
  CHECK(probes_of(40) == 4);
  {
    asio::ip::tcp::socket waits(io);  // the program accepts nothing
    waits.connect({asio::ip::address_v4::loopback(), worker.view().address->port});
    CHECK(probes_of(5) == 5);
  }
  ::kill(worker.pid(), SIGUSR1);  // closes the listener, and with it that connection
  REQUIRE(until([&] { return look_at_listener(*worker.view().address).backlog == 0; }));
  CHECK(probes_of(3) == 3);
  ::kill(worker.pid(), SIGUSR1);  // a new socket has to be verified
  REQUIRE(until([&] { return look_at_listener(*worker.view().address).backlog > 0; }));
  CHECK(probes_of(1) == 1);
  CHECK(probes_of(4) == 0);
  worker.probe_now(now);  // for a machine that waits for the outcome
  CHECK(probes_of(1) == 1);
  CHECK(probes_of(9) == 0);

  now += kLater;
  const std::size_t asked = host.probes.size();
  (void)worker.poll(state(), now);
  REQUIRE(host.probes.size() == asked + 1);
  CHECK(worker.probed(host.probes.back().id, {false, "connect: timed out"}, state(), now));
  CHECK(probes_of(1) == 1);  // a failure is not forgiven because of a look
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
