#pragma once
// One version under supervision: its group, which decides, its workers, which execute, and what was reported about it.
//
// Only workers that are touched, by an event or an order, or that are due, are looked at: after each look note() says
// when the next one is.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "supervisor/agenda.hpp"
#include "supervisor/start_places.hpp"
#include "supervisor/version_group.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {

struct Version {
  /// `wake_up` is called when it must be served.
  Version(WorkerContext& shared, std::function<void()> wake_up, std::string service_name, std::string version_name,
          std::uint64_t seed)
      : context(shared),
        wake(std::move(wake_up)),
        service(std::move(service_name)),
        name(std::move(version_name)),
        group(seed) {}

  std::string id_of(unsigned worker_slot) const { return service + "@" + name + "#" + std::to_string(worker_slot); }
  std::unique_ptr<Worker> make_worker(unsigned worker_slot) {
    return std::make_unique<Worker>(
        context, name, id_of(worker_slot), [this, worker_slot] { touch(worker_slot); }, WorkerPlace{this, worker_slot});
  }
  /// Something happened to its worker, or was done to it.
  void touch(unsigned worker_slot) {
    touched.insert(worker_slot);
    wake();
  }
  /// Keeps when it is due, and whether it waits for an event or starts.
  void note(unsigned worker_slot);
  void note_all();
  /// The slot and its worker, if it has both.
  struct Found {
    Worker* worker = nullptr;
    WorkerState state = WorkerState::idle;
    explicit operator bool() const { return worker != nullptr; }
  };
  Found find(unsigned worker_slot) const;
  /// Created at the first call.
  Worker& worker(unsigned worker_slot) {
    auto& worker = workers[worker_slot];
    if (!worker) worker = make_worker(worker_slot);
    return *worker;
  }

  /// Executes all actions except spawn.
  void execute(unsigned worker_slot, Actions actions, TimePoint now);
  /// Passes changed settings to the workers; a worker that will be replaced keeps its old ones.
  void retune(TimePoint now);
  /// As in Worker.
  void probed(unsigned worker_slot, std::uint64_t id, const ProbeResult& result, TimePoint now);
  void met_stranger(unsigned worker_slot, const PeerOwner& found, TimePoint now);
  /// For the workers that wait for an event; false: there are none.
  bool look_again(TimePoint now);
  /// Removes the workers whose slots are gone; keeps the output of the last ones.
  void clean_up(std::size_t kept);
  /// Takes a place for each worker that is in the expensive part of its start.
  void occupy(StartPlaces& places) const;
  VersionView view(bool carries_traffic) const;
  /// The next deadline, poll or look at the memory of a worker.
  std::optional<TimePoint> next_turn() const;
  /// Adds the lines of all workers after the one with number `sequence`, of ended workers first.
  void add_outputs(std::uint64_t sequence, std::vector<WorkerOutput>& outputs) const;

  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("group", group);
    io("workers", workers, [this](unsigned worker_slot) { return make_worker(worker_slot); });
    io("retired", retired, [this] { return std::pair(std::string(), OutputTail(context.output)); });
    io("failure", failure);
    io("failure_cause", failure_cause);
    io("rolled_back", rolled_back);
    io("failed", failed);
    io("crashing", crashing);
    io("replacing", replacing);
    io("forget", forget);
    io("late_stops", late_stops);
    for (const auto& [number, slot] : group.slots())
      io.check("workers", !slot.machine.alive() || workers.contains(number));
    if constexpr (Io::kLoads) note_all();
  }

  WorkerContext& context;
  std::function<void()> wake;
  std::string service, name;
  VersionGroup group;
  std::map<unsigned, std::unique_ptr<Worker>> workers;     // of worker slots that were started at least once
  std::deque<std::pair<std::string, OutputTail>> retired;  // output of workers in removed slots, by id
  std::string failure, failure_cause;                      // the last one: text, and a short cause
  std::string rolled_back;                                 // text of the failure that stopped the last replacement
  bool failed = false;                                     // as last reported
  bool crashing = false;                                   // as last reported
  bool replacing = false;                                  // as last reported
  bool forget = false;                                     // remove it once it is empty
  LateStops late_stops;                                    // since the last order
  std::set<unsigned> touched;                              // slots, since it was served
  std::set<unsigned> waiting;                              // slots whose workers wait for an event
  std::set<unsigned> gone;                                 // slots that were removed, but not their workers yet
  Agenda<unsigned> due;                                    // when the workers are to be looked at, by slot
  std::uint64_t visits = 0;                                // calls of note()
};

}  // namespace gray::supervisor
