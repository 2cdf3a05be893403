#pragma once
// A version group with a test in the place of its shell.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <optional>
#include <string>

#include "config/base/archive.hpp"
#include "supervisor/version_group.hpp"

namespace gray::supervisor::play {

using namespace std::chrono_literals;
using E = WorkerEvent;
using enum WorkerState;

inline VersionSettings settings(std::uint32_t instances, std::string program = "a") {
  VersionSettings result;
  result.name = "v1";
  result.command = {std::move(program)};
  result.instances = instances;
  result.min_healthy = Duration{0};  // the proof has its own tests
  return result;
}

inline VersionSettings proven_settings(std::uint32_t instances, std::string program) {
  VersionSettings result = settings(instances, std::move(program));
  result.min_healthy = 5s;
  return result;
}

// Acts as the shell: starts waiting workers, and lets the test report events.
struct Play {
  VersionGroup group{1};
  TimePoint now{1h};
  bool traffic = true;

  void send(unsigned slot, Event event) { group.on(slot, event, traffic, now); }
  void start_all() {
    for (auto slot = group.startable(); slot; slot = group.startable()) {
      send(*slot, {E::start});
      send(*slot, {E::executed});
    }
  }
  void make_healthy(unsigned slot) {
    send(slot, {.kind = E::said_ready, .by_probe = true});
    send(slot, {E::probe_ok});
  }
  void bring_up() {
    for (start_all(); group.count(spawned) > 0; start_all()) make_healthy(first(spawned));
  }
  void die(unsigned slot) {
    send(slot, {.kind = E::exited, .status = W_EXITCODE(1, 0)});
    send(slot, {E::emptied});
  }
  unsigned first(WorkerState state) const {
    for (const auto& [number, slot] : group.slots())
      if (slot.machine.state() == state) return number;
    FAIL("no worker is " << name(state));
    return 0;
  }
  void finish_drains() {
    while (group.count(draining) > 0) {
      const unsigned slot = first(draining);
      send(slot, {E::unused});
      die(slot);
    }
  }
  std::optional<unsigned> first_with(const std::string& program) const {
    for (const auto& [number, slot] : group.slots())
      if (slot.settings->command[0] == program && slot.machine.alive()) return number;
    return std::nullopt;
  }
  void prove(unsigned slot) {
    make_healthy(slot);
    pass(5s);
    send(slot, {E::probe_ok});
  }
  /// So many proven workers of "old", which are being replaced; the first new one is spawned.
  void begin_proven_replacement(std::uint32_t instances, const std::string& program) {
    group.apply(proven_settings(instances, "old"), now);
    bring_up();
    group.apply(proven_settings(instances, program), now);
    start_all();
  }
  /// A version with so many workers, each of which may use 100 bytes, that have run stably.
  void bring_up_limited(std::uint32_t instances) {
    VersionSettings limited = settings(instances);
    limited.memory = 100;
    group.apply(limited, now);
    bring_up();
    now += WorkerMachine::kStableRun;
  }
  std::size_t with(const std::string& program) const {
    std::size_t count = 0;
    for (const auto& [number, slot] : group.slots()) count += slot.settings->command[0] == program ? 1 : 0;
    return count;
  }
  void pass(Duration time) {
    now += time;
    group.expire(traffic, now);
  }
  /// Like an exec: hands over everything as text to a new group.
  void carry_over() {
    Save save;
    group.archive(save);
    CHECK(save.fds().empty());
    const auto text = save.take().dump();
    VersionGroup fresh{1};
    const auto json = nlohmann::json::parse(text);
    Load load(json, std::set<int>{});
    fresh.archive(load);
    Save again;
    fresh.archive(again);
    CHECK(again.take().dump() == text);
    group = std::move(fresh);
  }
};

}  // namespace gray::supervisor::play
