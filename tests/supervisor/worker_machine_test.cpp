#include "supervisor/worker_machine.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <random>

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;
using enum WorkerState;
using E = WorkerEvent;

namespace {

const TimePoint kMachineStart{1h};

// A machine that has gone through `events`, all at kMachineStart.
WorkerMachine after(std::initializer_list<Event> events, const WorkerTimes& times = {}) {
  WorkerMachine machine;
  machine.set_times(times);
  for (const Event& event : events) machine.on(event, kMachineStart);
  return machine;
}

WorkerMachine in(WorkerState state) {
  const Event start{E::start}, executed{E::executed}, connected{.kind = E::said_ready, .by_probe = true},
      ok{E::probe_ok};
  const Event bad{E::probe_failed}, dead{.kind = E::exited, .status = W_EXITCODE(3, 0)};
  switch (state) {
    case idle: return after({});
    case spawned: return after({start, executed});
    case ready: return after({start, executed, Event{E::said_ready}});
    case healthy: return after({start, executed, connected, ok});
    case unhealthy: return after({start, executed, connected, ok, bad, bad, bad});
    case draining: return after({start, executed, connected, ok, Event{E::drain}});
    case stopping: return after({start, executed, Event{E::stop}});
    case exited: return after({start, executed, dead});
    case backoff: return after({start, executed, dead, {.kind = E::retry, .delay = 500ms}});
    case failed: return after({start, executed, dead, Event{E::give_up}});
  }
  return {};
}

struct Row {
  WorkerState from;
  Event event;
  WorkerState to;
  Actions actions;
  const char* cause = "";
};

const Actions kNothing{};
const Actions kChanged{Action::changed};
const Actions kSpawn{Action::changed, Action::spawn};
const Actions kTerminate{Action::changed, Action::terminate};
const Actions kKill{Action::changed, Action::kill};

}  // namespace

TEST_CASE("every transition of the table has its new state, actions and cause") {
  const Row rows[] = {
      {idle, {E::start}, spawned, kSpawn},
      {backoff, {E::start}, spawned, kSpawn},
      {failed, {E::start}, spawned, kSpawn},
      {spawned, {.kind = E::no_resources, .delay = 1s}, backoff, kChanged, "resources"},
      {spawned, {E::said_ready}, ready, kChanged},
      {spawned, {E::timeout}, stopping, kTerminate, "ready-timeout"},
      {spawned, {.kind = E::exited, .status = 0}, exited, kKill, "died-before-ready"},
      {spawned, {E::drain}, stopping, kTerminate, "stopped"},
      {spawned, {E::stop}, stopping, kTerminate, "stopped"},
      {ready, {E::probe_ok}, ready, kNothing},
      {ready, {E::timeout}, stopping, kTerminate, "never-healthy"},
      {ready, {E::said_ready}, ready, kNothing},
      {ready, {E::drain}, stopping, kTerminate, "stopped"},
      {ready, {.kind = E::exited, .status = W_EXITCODE(3, 0)}, exited, kKill, "exit 3"},
      {healthy, {E::said_ready}, healthy, kNothing},
      {healthy, {E::probe_failed}, healthy, kNothing},
      {healthy, {E::timeout}, healthy, {Action::probe}},
      {healthy, {E::drain}, draining, kChanged},
      {healthy, {E::stop}, stopping, kTerminate, "stopped"},
      {healthy, {.kind = E::exited, .status = W_EXITCODE(0, SIGKILL)}, exited, kKill, "signal 9"},
      {unhealthy, {E::probe_ok}, unhealthy, kNothing},
      {unhealthy, {E::timeout}, stopping, kTerminate, "unhealthy"},
      {unhealthy, {.kind = E::timeout, .alone = true}, unhealthy, kNothing},
      {unhealthy, {E::drain}, draining, kChanged},
      {healthy, {E::dismiss}, draining, kChanged},
      {unhealthy, {E::dismiss}, draining, kChanged},
      {spawned, {E::dismiss}, stopping, kTerminate, "stopped"},
      {backoff, {E::dismiss}, idle, kChanged, "died-before-ready"},
      {draining, {E::withdrawn}, draining, kNothing},
      {draining, {E::dismiss}, draining, kChanged},
      {draining, {E::unused}, stopping, kTerminate, "stopped"},
      {draining, {E::timeout}, stopping, kTerminate, "stopped"},
      {draining, {E::stop}, stopping, kTerminate, "stopped"},
      {stopping, {E::timeout}, stopping, {Action::kill}, "stop-timeout"},
      {stopping, {.kind = E::exited, .status = W_EXITCODE(0, SIGTERM)}, exited, kKill, "stopped"},
      {exited, {E::timeout}, exited, {Action::kill}, "died-before-ready"},
      {exited, {E::emptied}, idle, kChanged, "died-before-ready"},
      {exited, {.kind = E::retry, .delay = 1s}, backoff, kChanged, "died-before-ready"},
      {exited, {E::give_up}, failed, kChanged, "died-before-ready"},
      {backoff, {E::timeout}, backoff, kNothing, "died-before-ready"},
      {backoff, {E::drain}, idle, kChanged, "died-before-ready"},
      {backoff, {E::give_up}, failed, kChanged, "died-before-ready"},
      {failed, {E::stop}, idle, kChanged, "died-before-ready"},
      {idle, {E::give_up}, failed, kChanged},
  };
  for (const Row& row : rows) {
    WorkerMachine machine = in(row.from);
    CAPTURE(name(row.from));
    CAPTURE(name(row.event.kind));
    REQUIRE(machine.state() == row.from);
    CHECK(machine.on(row.event, kMachineStart) == row.actions);
    CHECK(name(machine.state()) == name(row.to));
    CHECK(machine.cause() == row.cause);
  }
}

TEST_CASE("late and repeated events change nothing in any state") {
  for (const WorkerState state : {idle, exited, backoff, failed, stopping})
    for (const E kind :
         {E::executed, E::said_ready, E::probe_ok, E::probe_failed, E::address_taken, E::unused, E::no_resources}) {
      WorkerMachine machine = in(state);
      CHECK(machine.on({kind}, kMachineStart) == kNothing);
      CHECK(machine.state() == state);
    }
}

TEST_CASE("a worker that is ready by a message needs `rise` passes in a row; one that is ready by a probe needs one") {
  WorkerMachine machine = in(ready);
  machine.on({E::probe_ok}, kMachineStart);
  machine.on({E::probe_failed}, kMachineStart);
  machine.on({E::probe_ok}, kMachineStart);
  CHECK(machine.state() == ready);
  CHECK(machine.on({E::probe_ok}, kMachineStart) == kChanged);
  CHECK(machine.routable());
  CHECK(in(healthy).routable());
}

TEST_CASE("`fall` failures in a row make it unhealthy, `rise` passes in a row bring it back") {
  WorkerMachine machine = in(healthy);
  for (const E kind : {E::probe_failed, E::probe_failed, E::probe_ok, E::probe_failed, E::probe_failed})
    machine.on({kind}, kMachineStart);
  CHECK(machine.state() == healthy);
  machine.on({E::probe_failed}, kMachineStart);
  CHECK(machine.state() == unhealthy);
  machine.on({E::probe_ok}, kMachineStart);
  CHECK(machine.state() == unhealthy);
  machine.on({E::probe_ok}, kMachineStart);
  CHECK(machine.state() == healthy);
}

TEST_CASE("a taken address withdraws a worker that gets requests, and no other") {
  for (const WorkerState state : {spawned, ready, unhealthy, draining}) {
    WorkerMachine machine = in(state);
    CHECK(machine.on({E::address_taken}, kMachineStart) == kNothing);
    CHECK(name(machine.state()) == name(state));
  }
  CHECK(in(healthy).on({E::address_taken}, kMachineStart) == kChanged);
}

TEST_CASE("a worker whose address was taken is not ended for that, and returns with its first passed check") {
  for (const WorkerState before : {healthy, unhealthy}) {
    CAPTURE(name(before));
    WorkerMachine machine = in(before);
    machine.on({E::address_taken}, kMachineStart);
    CHECK(machine.displaced());
    CHECK_FALSE(machine.next_deadline());
    CHECK(machine.on({E::address_taken}, kMachineStart + 60s) == kNothing);
    CHECK_FALSE(machine.next_deadline());
    CHECK(machine.on({E::probe_ok}, kMachineStart + 61s) == kChanged);
    CHECK(machine.state() == healthy);
    CHECK_FALSE(machine.displaced());
  }
}

TEST_CASE("a worker that does not listen again after its address was taken is restarted like every unhealthy one") {
  WorkerMachine machine = in(healthy);
  machine.on({E::address_taken}, kMachineStart);
  machine.on({E::probe_failed}, kMachineStart + 60s);
  CHECK_FALSE(machine.displaced());
  CHECK(machine.state() == unhealthy);
  CHECK(machine.next_deadline() == kMachineStart + 90s);
  machine.on({E::address_taken}, kMachineStart + 61s);
  CHECK(machine.displaced());
  CHECK_FALSE(machine.next_deadline());
  CHECK(machine.on({E::drain}, kMachineStart + 62s) == kChanged);
  CHECK_FALSE(machine.displaced());
}

TEST_CASE("each deadline follows from the settings") {
  WorkerTimes times{7s, false, 1, 1, 11s, 13s, 17s};
  WorkerMachine machine = after({{E::start}}, times);
  CHECK(machine.next_deadline() == kMachineStart + 5s);
  machine.on({E::executed}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 7s);
  machine.on({E::said_ready}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 10s);
  machine.on({E::probe_ok}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 17s);
  machine.on({E::probe_failed}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 30s);
  machine.on({E::drain}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 11s);
  machine.on({E::unused}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 13s);
}

TEST_CASE("a worker is proven by a check that passes after it was healthy for min_healthy") {
  WorkerMachine machine = in(healthy);
  CHECK_FALSE(machine.proven());
  CHECK(machine.next_deadline() == kMachineStart + 5s);
  machine.on({E::probe_ok}, kMachineStart + 4s);
  CHECK_FALSE(machine.proven());
  CHECK(machine.on({E::timeout}, kMachineStart + 5s) == Actions{Action::probe});
  CHECK_FALSE(machine.proven());  // the last check may be old
  CHECK_FALSE(machine.next_deadline());
  machine.on({E::probe_ok}, kMachineStart + 5s);
  CHECK(machine.proven());
  for (int i = 0; i < 3; ++i) machine.on({E::probe_failed}, kMachineStart + 6s);
  CHECK_FALSE(machine.proven());
  for (int i = 0; i < 2; ++i) machine.on({E::probe_ok}, kMachineStart + 7s);
  CHECK(machine.proven());  // it is the same process
  CHECK_FALSE(machine.next_deadline());
  CHECK(
      after({{E::start}, {E::executed}, {.kind = E::said_ready, .by_probe = true}, {E::probe_ok}}, {.min_healthy = 0s})
          .proven());
}

TEST_CASE("a break while it is being proven, a different process, or a pause of the probes delays the proof") {
  WorkerMachine machine = in(healthy);
  for (int i = 0; i < 3; ++i) machine.on({E::probe_failed}, kMachineStart + 3s);
  for (int i = 0; i < 2; ++i) machine.on({E::probe_ok}, kMachineStart + 4s);
  CHECK(machine.next_deadline() == kMachineStart + 9s);

  machine = in(healthy);
  machine.on({E::timeout}, kMachineStart + 5s);
  for (int i = 0; i < 3; ++i) machine.on({E::probe_failed}, kMachineStart + 6s);
  for (int i = 0; i < 2; ++i) machine.on({E::probe_ok}, kMachineStart + 7s);
  CHECK_FALSE(machine.proven());
  CHECK(machine.next_deadline() == kMachineStart + 12s);

  machine =
      after({{E::start}, {E::executed}, {.kind = E::said_ready, .by_probe = true}, {E::probe_ok}}, {.min_healthy = 0s});
  machine.set_times({});
  for (const E kind : {E::exited, E::retry, E::timeout, E::start, E::executed}) machine.on({kind}, kMachineStart);
  machine.on({.kind = E::said_ready, .by_probe = true}, kMachineStart);
  machine.on({E::probe_ok}, kMachineStart);
  CHECK(machine.routable());
  CHECK_FALSE(machine.proven());

  machine = in(healthy);
  machine.probing(false, kMachineStart + 1s);
  CHECK_FALSE(machine.next_deadline());
  machine.probing(true, kMachineStart + 60s);
  CHECK(machine.next_deadline() == kMachineStart + 64s);
}

TEST_CASE("a program that hangs before exec is killed without a stop signal") {
  WorkerMachine machine = after({{E::start}});
  CHECK(machine.on({E::timeout}, kMachineStart + 5s) == kKill);
  CHECK(machine.cause() == "exec-timeout");
}

TEST_CASE("exec errors name the errno; temporary ones are a lack of resources, not the version's fault") {
  WorkerMachine machine = after(
      {{E::start}, {.kind = E::exec_failed, .status = ENOENT}, {.kind = E::exited, .status = W_EXITCODE(127, 0)}});
  CHECK(machine.cause() == "exec:ENOENT");
  CHECK(machine.exec_hopeless());
  machine = after(
      {{E::start}, {.kind = E::exec_failed, .status = ETXTBSY}, {.kind = E::exited, .status = W_EXITCODE(127, 0)}});
  CHECK(machine.cause() == "resources");
  CHECK(machine.exec_exhausted());
  machine = after({{E::start}, {E::executed}, {.kind = E::exited, .status = W_EXITCODE(127, 0)}});
  CHECK(machine.cause() == "died-before-ready");
  CHECK(machine.exit_text() == "exit 127");
}

TEST_CASE("deadlines that need probes are paused while no router can probe, others are not") {
  WorkerMachine machine = in(ready);
  machine.probing(false, kMachineStart + 4s);
  CHECK_FALSE(machine.next_deadline());
  machine.probing(true, kMachineStart + 100s);
  CHECK(machine.next_deadline() == kMachineStart + 106s);

  WorkerMachine by_message = after({{E::start}, {E::executed}}, {10s, false});
  by_message.probing(false, kMachineStart);
  CHECK(by_message.next_deadline() == kMachineStart + 10s);

  WorkerMachine unprobed;
  unprobed.probing(false, kMachineStart);
  unprobed.set_times({10s, true});
  unprobed.on({E::start}, kMachineStart);
  unprobed.on({E::executed}, kMachineStart);
  CHECK_FALSE(unprobed.next_deadline());
  unprobed.probing(true, kMachineStart + 50s);
  CHECK(unprobed.next_deadline() == kMachineStart + 60s);
}

TEST_CASE("set_times() takes effect at the next start, retune() at once, but not for a wait in progress") {
  WorkerMachine machine = in(healthy);
  machine.set_times({.fall = 1});
  machine.on({E::probe_failed}, kMachineStart);
  CHECK(machine.state() == healthy);
  machine.retune({.fall = 2, .drain_timeout = 2s, .stop_timeout = 1s});
  machine.on({E::probe_failed}, kMachineStart);
  CHECK(machine.state() == unhealthy);

  machine = in(healthy);
  machine.retune({.drain_timeout = 2s});
  machine.on({E::drain}, kMachineStart);
  machine.retune({.drain_timeout = 9s, .stop_timeout = 1s});
  CHECK(machine.next_deadline() == kMachineStart + 2s);
  machine.on({E::unused}, kMachineStart);
  CHECK(machine.next_deadline() == kMachineStart + 1s);
}

TEST_CASE("after the third kill without effect the cause is unkillable") {
  WorkerMachine machine = in(stopping);
  for (int i = 0; i < 2; ++i) machine.on({E::timeout}, kMachineStart);
  CHECK(machine.cause() == "stop-timeout");
  CHECK(machine.on({E::timeout}, kMachineStart) == kKill);
  CHECK(machine.cause() == "unkillable");
}

TEST_CASE("a stop that runs into its time-out is the cause only if there is no other") {
  WorkerMachine sick = in(unhealthy);
  for (int i = 0; i < 2; ++i) sick.on({E::timeout}, kMachineStart);
  CHECK(sick.cause() == "unhealthy");
  WorkerMachine late = in(draining);
  for (int i = 0; i < 2; ++i) late.on({E::timeout}, kMachineStart);
  late.on({.kind = E::exited, .status = W_EXITCODE(0, SIGKILL)}, kMachineStart);
  CHECK(late.cause() == "stop-timeout");
  CHECK(late.exit_text() == "signal 9");
  WorkerMachine in_time = in(stopping);
  in_time.on({.kind = E::exited, .status = W_EXITCODE(0, SIGTERM)}, kMachineStart);
  in_time.on({E::timeout}, kMachineStart);  // a process of another session is left
  CHECK(in_time.cause() == "stopped");
}

TEST_CASE("a worker in back-off becomes startable after its delay, not before") {
  WorkerMachine machine = in(backoff);
  CHECK_FALSE(machine.startable());
  CHECK(machine.next_deadline() == kMachineStart + 500ms);
  machine.on({E::timeout}, kMachineStart + 500ms);
  CHECK(machine.startable());
  CHECK(in(idle).startable());
  CHECK_FALSE(in(failed).startable());
}

TEST_CASE("a stable run is counted from the first healthy moment") {
  WorkerMachine machine = in(healthy);
  CHECK_FALSE(machine.ran_stably(kMachineStart + 29s));
  CHECK(machine.ran_stably(kMachineStart + 30s));
}

TEST_CASE(
    "a dismissed worker is stopped once it is withdrawn, even with requests, and after a timeout even if a router "
    "lags") {
  for (const Event& begin : {Event{E::dismiss}, Event{E::drain}}) {
    WorkerMachine machine = in(healthy);
    machine.on(begin, kMachineStart);
    machine.on({E::dismiss}, kMachineStart);
    CHECK(machine.state() == draining);
    CHECK(machine.next_deadline() == kMachineStart + WorkerMachine::kWithdrawTimeout);
    CHECK(machine.on({E::withdrawn}, kMachineStart) == kTerminate);
  }
}

TEST_CASE("random traces keep the invariants") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  TimePoint now = kMachineStart;
  for (int trace = 0; trace < 100'000; ++trace) {
    WorkerMachine machine;
    bool wanted = true;
    for (int step = 0; step < 30; ++step) {
      now += Duration(random() % 2000);
      if (random() % 8 == 0) machine.probing(random() % 2 == 0, now);
      Event event{static_cast<E>(random() % kWorkerEvents), static_cast<int>(random() % 3), Duration(random() % 1000),
                  random() % 2 == 0, random() % 2 == 0};
      const bool may_spawn = !machine.alive();
      const Actions actions = machine.on(event, now);
      wanted = wanted && machine.wanted();
      const bool must_end = machine.state() == draining || machine.state() == stopping;
      const bool holds = (!actions.has(Action::spawn) || may_spawn) &&  // never a second process
                         machine.wanted() == wanted &&                  // never wanted again
                         machine.routable() == (machine.state() == healthy) && (!must_end || machine.next_deadline()) &&
                         (machine.state() != exited || !machine.cause().empty()) &&
                         (machine.wanted() || !machine.startable());
      if (!holds) FAIL("in trace " << trace << ", step " << step << ": " << name(event.kind));
    }
  }
}

TEST_CASE(
    "an extension of the start counts from its request, never shortens the deadline, and never exceeds the bound") {
  const WorkerTimes times{.ready_timeout = 60s, .ready_by_probe = false};
  WorkerMachine machine = after({Event{E::start}, Event{E::executed}}, times);
  CHECK(*machine.next_deadline() == kMachineStart + 60s);
  machine.on({.kind = E::extend, .delay = 10s}, kMachineStart + 10s);
  CHECK(*machine.next_deadline() == kMachineStart + 60s);
  machine.on({.kind = E::extend, .delay = 100s}, kMachineStart + 10s);
  CHECK(*machine.next_deadline() == kMachineStart + 110s);
  machine.on({.kind = E::extend, .delay = 24h}, kMachineStart + 100s);
  CHECK(*machine.next_deadline() == kMachineStart + WorkerMachine::kLongestStart);
  machine.on({.kind = E::extend, .delay = 24h}, kMachineStart + 590s);
  CHECK(*machine.next_deadline() == kMachineStart + WorkerMachine::kLongestStart);
  CHECK(machine.state() == spawned);
}

TEST_CASE("an extended deadline is also paused while no router can probe") {
  WorkerMachine machine = after({Event{E::start}, Event{E::executed}}, {.ready_timeout = 60s, .ready_by_probe = true});
  machine.probing(false, kMachineStart + 10s);
  machine.on({.kind = E::extend, .delay = 100s}, kMachineStart + 20s);
  CHECK_FALSE(machine.next_deadline());
  machine.probing(true, kMachineStart + 30s);
  CHECK(*machine.next_deadline() == kMachineStart + 130s);
}

TEST_CASE("before the program runs an extension has no effect") {
  WorkerMachine machine = after({Event{E::start}});
  machine.on({.kind = E::extend, .delay = 100s}, kMachineStart);
  CHECK(*machine.next_deadline() == kMachineStart + WorkerMachine::kExecTimeout);
}

TEST_CASE("only a process that exits with 0 before it served and leaves processes behind has daemonised") {
  const auto cause = [](std::initializer_list<Event> before, int status, bool survived) {
    WorkerMachine machine = after(before);
    machine.on({.kind = E::exited, .status = status, .survived = survived}, kMachineStart);
    return machine.cause();
  };
  const Event start{E::start}, executed{E::executed}, said{E::said_ready}, ok{E::probe_ok};
  CHECK(cause({start, executed}, W_EXITCODE(0, 0), true) == "daemonised");
  CHECK(cause({start, executed, said}, W_EXITCODE(0, 0), true) == "daemonised");
  CHECK(cause({start, executed}, W_EXITCODE(0, 0), false) == "died-before-ready");
  CHECK(cause({start, executed}, W_EXITCODE(1, 0), true) == "died-before-ready");
  CHECK(cause({start, executed, said, ok, ok}, W_EXITCODE(0, 0), true) == "exit 0");
}
