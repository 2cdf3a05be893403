#pragma once
// One version under supervision: its group, which decides, its workers, which execute, and what was reported about it.
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "supervisor/version_group.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {

struct Version {
  /// `wake_up` is called when a worker has events to take.
  Version(WorkerContext& shared, std::function<void()> wake_up, std::string service_name, std::string version_name,
          std::uint64_t seed)
      : context(shared),
        wake(std::move(wake_up)),
        service(std::move(service_name)),
        name(std::move(version_name)),
        group(seed) {}

  std::string id_of(unsigned worker_slot) const { return service + "@" + name + "#" + std::to_string(worker_slot); }
  std::unique_ptr<Worker> make_worker(unsigned worker_slot) {
    return std::make_unique<Worker>(context, name, id_of(worker_slot), wake);
  }
  /// Created at the first call.
  Worker& worker(unsigned worker_slot) {
    auto& worker = workers[worker_slot];
    if (!worker) worker = make_worker(worker_slot);
    return *worker;
  }

  /// Passes changed settings to the workers; a worker that will be replaced keeps its old ones.
  void retune(TimePoint now);
  VersionView view(bool carries_traffic) const;

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
    for (const auto& [number, slot] : group.slots())
      io.check("workers", !slot.machine.alive() || workers.contains(number));
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
};

}  // namespace gray::supervisor
