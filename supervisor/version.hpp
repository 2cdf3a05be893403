#pragma once
// One version under supervision: its group, which decides, its workers, which carry out, and what was told of it.
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

  std::string id_of(unsigned slot) const { return service + "@" + name + "#" + std::to_string(slot); }
  std::unique_ptr<Worker> make_worker(unsigned slot) {
    return std::make_unique<Worker>(context, name, id_of(slot), wake);
  }
  /// Made when it is needed first.
  Worker& worker(unsigned slot) {
    auto& worker = workers[slot];
    if (!worker) worker = make_worker(slot);
    return *worker;
  }

  /// Tells the workers what changed of their settings; one that is to be replaced keeps those it has.
  void retune(TimePoint now);
  VersionView view(bool carries_traffic) const;

  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("group", group);
    io("workers", workers, [this](unsigned slot) { return make_worker(slot); });
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
  std::map<unsigned, std::unique_ptr<Worker>> workers;     // of slots that were started at least once
  std::deque<std::pair<std::string, OutputTail>> retired;  // what workers of slots that are gone wrote, by id
  std::string failure, failure_cause;                      // of the last one: text, and one word or two
  std::string rolled_back;                                 // text of the failure that stopped the last replacement
  bool failed = false;                                     // likewise
  bool crashing = false;                                   // likewise
  bool replacing = false;                                  // likewise
  bool forget = false;                                     // once it is empty
};

}  // namespace gray::supervisor
