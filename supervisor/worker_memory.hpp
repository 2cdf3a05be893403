#pragma once
// The resident memory of workers, each with all its processes: those of its cgroup, or of its session and its
// descendants. Shared memory counts for each process.
//
// A measurement reads /proc for every process of the workers, without cgroups of the whole host. So it is repeated at
// most each second, and takes at most a twentieth of the time.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "config/base/time.hpp"
#include "supervisor/process/process_table.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {

/// The worker, by the pid of its first process, of each process that belongs to one: by session, or as a descendant.
/// Pure.
std::map<pid_t, pid_t> worker_of_each(const std::vector<ProcessInfo>& processes, const std::vector<pid_t>& leaders);

/// By the first process of a worker.
using WorkerBytes = std::map<pid_t, std::uint64_t>;

/// Resident bytes of each of these workers, with all its processes.
WorkerBytes measure(const std::vector<const Worker*>& workers);

class WorkerMemory {
 public:
  static constexpr Duration kFresh{1'000};
  static constexpr int kShare = 20;

  /// `measure` is called if the last result is too old. A worker that it did not know counts with its first process.
  std::uint64_t of(pid_t leader, TimePoint now, const std::function<WorkerBytes()>& measure);

 private:
  WorkerBytes bytes_;
  TimePoint next_{};
};

}  // namespace gray::supervisor
