#pragma once
// One slot of a worker with its machine, run as the supervisor does it, and a host whose answers the test decides.
#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/worker.hpp"

namespace gray::supervisor {
using namespace std::chrono_literals;

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
  std::string health_path = "/healthz";
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
    settings.health.path = health_path;
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

inline const std::string kReadyAndRuns = "printf 'READY=1\\n' >&$GRAY_READY_FD; exec tail -f /dev/null";

}  // namespace gray::supervisor
