// A supervisor that continues after an exec: the state of one with real processes is read by a second one in the same
// process, and the old one neither kills its processes nor runs on, as after an exec. exec_test.cpp does a real exec.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <random>

#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

const std::string kReady = "printf 'READY=1\\n' >&$GRAY_READY_FD; ";
const std::string kForever = "while :; do sleep 100 & wait; done";

/// The socket is the master's, so that a connect always succeeds: a worker that reports ready is healthy soon.
VersionSettings server(const std::string& script, std::uint32_t instances = 1) {
  VersionSettings settings = Running::shell(script);
  settings.listen = ListenMode::inherited;
  settings.instances = instances;
  return settings;
}

std::string on_usr1(const std::string& then) { return "trap \"" + then + "\" USR1; "; }

struct Resuming {
  std::unique_ptr<Running> now = std::make_unique<Running>();

  Supervisor& supervisor() { return *now->supervisor; }
  /// Nothing of the old one is ended, as if it were not destroyed. `meanwhile` runs while no supervisor exists.
  void exec(const std::function<void()>& meanwhile = [] {}) {
    Save save;
    const auto state = now->state(save);
    static auto& gone = *new std::vector<std::unique_ptr<Supervisor>>;
    gone.push_back(std::move(now->supervisor));
    meanwhile();
    auto next = std::make_unique<Running>(kRestored);
    next->instance = now->instance;
    next->host.resume(now->host);
    next->load(state, save.fds());
    now = std::move(next);
  }
  bool until(const std::function<bool()>& condition) { return now->until(condition); }
  bool serves() {
    return until([&] { return now->is(VersionState::serving); });
  }
  std::ptrdiff_t count(EventKind kind) const { return std::ranges::count(now->host.events, kind, &EventRecord::kind); }
  /// The time of the next deadline of the only worker.
  TimePoint deadline() const {
    Save save;
    const auto state = now->state(save);
    const auto& machine = state.at("/versions/0/1/0/group/slots/0/1/machine"_json_pointer);
    return TimePoint(TimePoint::duration(machine.at("deadline").at(0).get<TimePoint::rep>()));
  }
  /// Available output is read, though not to the end of a line.
  bool has_read(const std::string& bytes) {
    return until([&] { return now->state().find('"' + bytes + '"') != std::string::npos; });
  }
  bool has_put_out(const std::string& line) {
    return until([&] {
      const auto lines = supervisor().output("web@v1#0");
      return std::ranges::find(lines, line) != lines.end();
    });
  }
};

void await_end(pid_t pid) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
}

}  // namespace

TEST_CASE_FIXTURE(Resuming, "a serving worker continues: the same process, and the line that it was writing") {
  supervisor().apply("web", server(on_usr1("echo ' second half'") + "printf 'first half,'; " + kReady + kForever));
  REQUIRE(serves());
  REQUIRE(has_read("first half,"));
  const WorkerView before = now->worker();
  exec();
  CHECK(now->is(VersionState::serving));
  CHECK(now->worker().pid == before.pid);
  CHECK(now->worker().generation == before.generation);
  CHECK(now->worker().ready_by == "pipe");
  CHECK(now->worker().cell == before.cell);
  ::kill(before.pid, SIGUSR1);
  CHECK(has_put_out("first half, second half"));
  CHECK(now->host.changes > 0);
  CHECK(now->worker().restarts == 0);
  CHECK(count(EventKind::worker_started) == 1);
  CHECK(count(EventKind::worker_healthy) == 1);
}

TEST_CASE_FIXTURE(Resuming, "a worker may send half of its ready message before the exec and half after it") {
  supervisor().apply("web",
                     server(on_usr1("printf 'DY=1\\n' >&$GRAY_READY_FD") + "printf REA >&$GRAY_READY_FD; " + kForever));
  REQUIRE(has_read("REA"));
  const pid_t pid = now->worker().pid;
  exec();
  CHECK(now->worker_is(WorkerState::spawned));
  ::kill(pid, SIGUSR1);
  CHECK(serves());
  CHECK(now->worker().pid == pid);
}

TEST_CASE_FIXTURE(Resuming,
                  "every channel works after the exec: a Node worker sends ready and writes to both streams") {
  supervisor().apply("web", Running::node("process.on('SIGUSR1', () => { console.log('out'); console.error('err'); "
                                          "process.send('ready') }); " +
                                          std::string(kServer) + ", () => console.log('up'))"));
  REQUIRE(has_put_out("up"));
  exec();
  ::kill(now->worker().pid, SIGUSR1);
  CHECK(has_put_out("out"));
  CHECK(has_put_out("err"));
  CHECK(serves());
}

TEST_CASE_FIXTURE(Resuming, "a worker that dies during the exec is read to its end, and restarted once") {
  supervisor().apply("web", server(on_usr1("echo last words; exit 3") + kReady + kForever));
  REQUIRE(serves());
  const pid_t pid = now->worker().pid;
  exec([&] {
    ::kill(pid, SIGUSR1);
    await_end(pid);
  });
  REQUIRE(until([&] { return now->worker().pid > 0 && now->worker().pid != pid && now->is(VersionState::serving); }));
  now->pass(200ms);
  CHECK(now->worker().restarts == 1);
  CHECK(now->worker().last_exit == "exit 3");
  CHECK(now->worker().generation == 2);
  CHECK(count(EventKind::worker_exited) == 1);
  CHECK(count(EventKind::worker_started) == 2);
  CHECK(has_put_out("last words"));
  CHECK(::waitid(P_PID, static_cast<id_t>(pid), nullptr, WEXITED | WNOWAIT | WNOHANG) == -1);
}

TEST_CASE_FIXTURE(Resuming, "a stop continues with the rest of its timeout") {
  supervisor().apply("web", server("trap '' TERM; " + kReady + kForever));
  REQUIRE(serves());
  const pid_t pid = now->worker().pid;
  supervisor().stop("web", "v1");
  REQUIRE(until([&] { return now->worker_is(WorkerState::stopping); }));
  const TimePoint end = deadline();
  exec();
  CHECK(now->worker_is(WorkerState::stopping));
  REQUIRE(until([&] { return now->is(VersionState::stopped); }));
  CHECK(Clock::now() >= end);
  CHECK(::kill(pid, 0) == -1);
  CHECK(now->host.cells.empty());
}

TEST_CASE_FIXTURE(Resuming, "commands that were not executed yet are executed by the next image") {
  VersionSettings settings = server("echo up; exec sleep 100");
  settings.stop.timeout = 1h;  // only the stop signal ends it
  supervisor().apply("web", settings);
  exec();
  REQUIRE(has_put_out("up"));
  supervisor().drain("web", "v1");
  exec();
  CHECK(until([&] { return now->is(VersionState::stopped); }));
  CHECK(count(EventKind::worker_started) == 1);
}

TEST_CASE_FIXTURE(Resuming, "a drain still waits for requests in flight") {
  supervisor().apply("web", server(kReady + kForever));
  REQUIRE(serves());
  now->host.sockets = 1;
  supervisor().drain("web", "v1");
  REQUIRE(until([&] { return now->worker_is(WorkerState::draining); }));
  exec();
  now->pass(200ms);
  CHECK(now->worker_is(WorkerState::draining));
  now->host.sockets = 0;
  now->supervisor->sockets_closed();
  CHECK(until([&] { return now->is(VersionState::stopped); }));
}

TEST_CASE_FIXTURE(Resuming, "a back-off ends at its original time") {
  supervisor().apply("web", server("exit 3"));
  REQUIRE(until([&] { return now->worker_is(WorkerState::backoff); }));
  const TimePoint end = deadline();
  exec();
  CHECK(now->worker_is(WorkerState::backoff));
  REQUIRE(until([&] { return now->worker().restarts == 1; }));
  CHECK(Clock::now() >= end);
  CHECK(until([&] { return now->is(VersionState::failed); }));
  exec();
  now->pass(100ms);
  CHECK(now->is(VersionState::failed));
  CHECK(count(EventKind::version_failed) == 1);
  CHECK(now->version().cause.find("died-before-ready (exit 3)") != std::string::npos);
}

TEST_CASE_FIXTURE(Resuming, "a program that could not be run is reported with what to check, also after the exec") {
  VersionSettings settings = server("");
  settings.command = {"/nonexistent/program"};
  supervisor().apply("web", settings);
  REQUIRE(until([&] { return !now->host.groups.empty(); }));
  exec();
  REQUIRE(until([&] { return now->is(VersionState::failed); }));
  CHECK(now->version().cause.find("cannot run \"/nonexistent/program\"") != std::string::npos);
}

TEST_CASE_FIXTURE(Resuming, "while no router can probe, deadlines are paused across the exec, too") {
  supervisor().probing_possible(false);
  now->host.can_probe = false;
  supervisor().apply("web", server(kReady + kForever));
  REQUIRE(until([&] { return now->worker_is(WorkerState::ready); }));
  exec();
  now->pass(200ms);
  CHECK(now->worker_is(WorkerState::ready));
  now->host.can_probe = true;
  supervisor().probing_possible(true);
  CHECK(serves());
}

TEST_CASE_FIXTURE(Resuming, "output of ended workers is kept, and the numbers of lines continue") {
  supervisor().apply("web", server("echo one; " + kReady + kForever));
  REQUIRE(serves());
  REQUIRE(has_put_out("one"));
  supervisor().drain("web", "v1");
  REQUIRE(until([&] { return now->is(VersionState::stopped); }));
  exec();
  REQUIRE(supervisor().outputs().size() == 1);
  supervisor().apply("web", server("echo two; " + kReady + kForever));
  REQUIRE(has_put_out("two"));
  const auto outputs = supervisor().outputs();
  REQUIRE(outputs.size() == 2);
  CHECK(outputs[0].lines.back()->text == "one");
  CHECK(outputs[1].lines.front()->sequence == outputs[0].lines.back()->sequence + 1);
}

// Every moment: decisions that are not executed yet, events that are not handled yet.
TEST_CASE_FIXTURE(Resuming, "an exec at any moment does not change the life of a worker") {
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int execs = 0;
  const auto until_with_execs = [&](const std::function<bool()>& condition) {
    const TimePoint end = Clock::now() + 30s;
    while (!condition() && Clock::now() < end) {
      now->io.run_one_for(10ms);
      if (random() % 3 == 0) exec(), ++execs;
    }
    return condition();
  };
  const auto all_serve = [&](const std::set<pid_t>& not_these) {
    const auto workers = now->version().workers;
    return workers.size() == 2 && std::ranges::all_of(workers, [&](const WorkerView& worker) {
             return worker.routable && !not_these.contains(worker.pid);
           });
  };
  const auto pids = [&] {
    std::set<pid_t> all;
    for (const auto& worker : now->version().workers) all.insert(worker.pid);
    return all;
  };
  supervisor().apply("web", server(kReady + kForever, 2));
  exec();
  REQUIRE(until_with_execs([&] { return all_serve({}); }));
  const auto first = pids();
  CHECK(supervisor().restart("web", "v1") == 1);
  exec();
  bool gap = false;
  REQUIRE(until_with_execs([&] {
    gap = gap || !now->is(VersionState::serving);
    return all_serve(first);
  }));
  CHECK_FALSE(gap);
  CHECK(now->version().replacement->state == ReplacementState::done);
  const pid_t victim = *pids().begin();
  ::kill(victim, SIGKILL);
  REQUIRE(until_with_execs([&] { return all_serve({victim}); }));
  supervisor().remove("web", "v1");
  exec();
  REQUIRE(until_with_execs([&] { return supervisor().view().empty(); }));
  CHECK(now->host.groups.empty());
  CHECK(now->host.cells.empty());
  CHECK(count(EventKind::version_restarting) == 1);
  CHECK(count(EventKind::version_restarted) == 1);
  CHECK(count(EventKind::worker_started) == 5);
  CHECK(std::ranges::count_if(now->host.events, [](const EventRecord& event) { return event.cause == "signal 9"; }) >=
        1);
  MESSAGE(execs << " execs");
}

TEST_CASE_FIXTURE(Resuming, "a supervisor that is stopping its workers is not handed over") {
  bool done = false;
  supervisor().apply("web", server(kReady + kForever));
  REQUIRE(serves());
  supervisor().stop_all([&] { done = true; });
  Save save;
  CHECK_THROWS_AS(supervisor().archive(save), std::logic_error);
  REQUIRE(until([&] { return done; }));
}

namespace {

/// A state with all kinds of parts, and the effect of reading a changed one instead.
struct Broken : Resuming {
  Save save;
  nlohmann::json state;

  Broken() {
    VersionSettings partial = server("printf REA >&$GRAY_READY_FD; printf 'half a line'; " + kForever);
    supervisor().apply("half", partial);
    supervisor().apply("gone", server("exit 3"));
    supervisor().apply("web", server("echo a line; " + kReady + kForever));
    supervisor().apply("old", server("echo old; " + kReady + kForever));
    REQUIRE(has_read("half a line"));
    const auto state_of = [&](std::size_t index) { return now->supervisor->view().at(index).state; };
    REQUIRE(until([&] { return state_of(2) == VersionState::serving && state_of(3) == VersionState::serving; }));
    supervisor().drain("old", "v1");
    REQUIRE(until([&] { return state_of(2) == VersionState::stopped; }));
    REQUIRE(until([&] { return now->supervisor->view().front().workers.front().restarts > 0; }));
    REQUIRE(supervisor().restart("web", "v1") == 1);
    state = now->state(save);
  }
  ~Broken() {  // and no process was ended, no descriptor closed
    for (const int fd : save.fds()) CHECK(::fcntl(fd, F_GETFD) != -1);
    for (const auto& version : supervisor().view())
      for (const auto& worker : version.workers) CHECK((worker.pid == 0 || ::kill(worker.pid, 0) == 0));
  }
  bool is_refused(const nlohmann::json& other) const {
    asio::io_context io;
    FakeHost host(io);
    Supervisor next(io, host, kRestored);
    Load load(other, save.fds());
    try {
      next.archive(load);
    } catch (const std::exception&) {
      return true;
    }
    for (const auto& version : next.view()) CHECK(version.state <= VersionState::failed);
    for (const auto& output : next.outputs()) CHECK(output.lines.size() <= OutputTail::kLines);
    Save again;
    next.archive(again);
    return false;
  }
  /// Every value in it, the outermost first.
  std::vector<nlohmann::json::json_pointer> places() const {
    std::vector<nlohmann::json::json_pointer> all{nlohmann::json::json_pointer()};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& value = state.at(all[i]);
      if (value.is_object())
        for (const auto& [key, inner] : value.items()) all.push_back(all[i] / key);
      if (value.is_array())
        for (std::size_t n = 0; n < value.size(); ++n) all.push_back(all[i] / n);
    }
    return all;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Broken, "a state with a missing or a wrong field is refused") {
  REQUIRE_FALSE(is_refused(state));
  int tried = 0;
  for (const auto& place : places()) {
    CAPTURE(place.to_string());
    for (const auto& instead : {nlohmann::json(), nlohmann::json({{"x", 1}}), nlohmann::json({nullptr})}) {
      auto other = state;
      other.at(place) = instead;
      CHECK(is_refused(other));
      ++tried;
    }
    if (place.empty() || !state.at(place.parent_pointer()).is_object()) continue;
    auto other = state;
    other.at(place.parent_pointer()).erase(place.back());
    CHECK(is_refused(other));
  }
  CHECK(tried > 300);
}

TEST_CASE_FIXTURE(Broken, "a number out of its range is refused or harmless") {
  int refused = 0;
  for (const auto& place : places()) {
    if (!state.at(place).is_number()) continue;
    for (const auto& instead :
         {nlohmann::json(-1), nlohmann::json(0), nlohmann::json(255), nlohmann::json(std::numeric_limits<int>::max()),
          nlohmann::json(std::numeric_limits<std::int64_t>::max()), nlohmann::json(~0ull)}) {
      auto other = state;
      other.at(place) = instead;
      refused += is_refused(other) ? 1 : 0;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE_FIXTURE(Broken, "a state that is cut short or damaged is refused or harmless, never a crash") {
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string text = state.dump();
  const auto is_refused_text = [&](const std::string& other) {
    const auto json = nlohmann::json::parse(other, nullptr, false);
    return json.is_discarded() || is_refused(json);
  };
  for (std::size_t length = 0; length < text.size(); ++length) CHECK(is_refused_text(text.substr(0, length)));
  int refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string other = text;
    for (auto flips = 1 + random() % 3; flips > 0; --flips)
      other[random() % other.size()] ^= static_cast<char>(1u << random() % 8);
    refused += is_refused_text(other) ? 1 : 0;
  }
  CHECK(refused > 500);
  MESSAGE("of 2000 damaged states " << refused << " were refused, of " << text.size() << " bytes");
}

TEST_CASE_FIXTURE(Broken, "a process that is not a child of this one is not accepted as a worker") {
  for (const auto& place : places()) {
    if (place.empty() || place.back() != "leader") continue;
    for (const pid_t pid : {pid_t{0}, pid_t{-1}, pid_t{1}, ::getpid(), ::getppid()}) {
      auto other = state;
      other.at(place) = pid;
      CHECK(is_refused(other));
    }
  }
}

TEST_CASE_FIXTURE(Broken, "after a state was refused, the correct one is read with the same descriptors") {
  auto other = state;
  other["versions"].back().back().back()["forget"] = "what";  // the last field: nearly all is read
  REQUIRE(is_refused(other));
  for (const int fd : save.fds()) CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  exec();
  CHECK(until([&] { return count(EventKind::version_restarted) == 1; }));
  save = Save();  // with the current descriptors
  state = now->state(save);
}
