#pragma once
// Turns changes of a worker's state into events for operators. Pure.
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/event_record.hpp"
#include "supervisor/version_group.hpp"

namespace gray::supervisor {

/// The data of a worker when its state changes.
struct WorkerFacts {
  std::string service, version, id;
  pid_t pid = 0;         // 0: no process could be created
  std::string ready_by;  // empty if it is not ready yet
  Duration age{0};       // of the process
  std::string detail;    // details of its failure; may be empty
  std::string failed_probe = {};
};

/// Nothing for intermediate states.
std::optional<EventRecord> worker_event(const VersionGroup::Transition& change, const WorkerFacts& worker,
                                        WallTime now);

}  // namespace gray::supervisor
