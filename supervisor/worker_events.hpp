#pragma once
// What the change of a worker's state means to an operator. Pure.
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/event_record.hpp"
#include "supervisor/version_group.hpp"

namespace gray::supervisor {

/// What is known of a worker when its state changes.
struct WorkerFacts {
  std::string service, version, id;
  pid_t pid = 0;         // 0: no process could be made
  std::string ready_by;  // empty before
  Duration age{0};       // of the process
  std::string detail;    // more about its failure; may be empty
};

/// Nothing for states that only lead from one to another.
std::optional<EventRecord> worker_event(const VersionGroup::Transition& change, const WorkerFacts& worker,
                                        WallTime now);

}  // namespace gray::supervisor
