#pragma once
// The memory of workers, each with all its processes: those of its cgroup, or of its session and its descendants. In
// resident bytes shared memory counts for each process. The memory of the group is what the cgroup says, without the
// cache of files, which the kernel takes back when it needs memory; without a memory controller it is the resident
// bytes. The proportional set size (smaps_rollup) would count shared pages once, but reading it walks all page tables
// of the worker, which takes milliseconds for each gigabyte, and so long it holds a lock of the worker's memory.
//
// A measurement reads /proc for every process of the workers, without cgroups of the whole host. So it is repeated at
// most each second, and takes at most a twentieth of the time.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "config/base/time.hpp"
#include "supervisor/kernel/process_table.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {

/// The worker, by the pid of its first process, of each process that belongs to one: by session, or as a descendant.
/// Pure.
std::map<pid_t, pid_t> worker_of_each(const std::vector<ProcessInfo>& processes, const std::vector<pid_t>& leaders);

struct WorkerUse {
  std::uint64_t resident = 0;  // bytes, of all processes
  std::uint64_t group = 0;     // bytes, as far as the cgroup knows, else `resident`
};
/// By the first process of a worker.
using WorkerUses = std::map<pid_t, WorkerUse>;

/// Resident bytes of each of these workers with all its processes, by its first one.
std::map<pid_t, std::uint64_t> resident_bytes_of(const std::vector<const Worker*>& workers);
/// Of each of these workers.
WorkerUses measure(const std::vector<const Worker*>& workers);

class WorkerMemory {
 public:
  static constexpr Duration kFresh{1'000};
  static constexpr int kShare = 20;

  /// `measure` is called if the last result is too old. A worker that it did not know counts with its first process.
  WorkerUse of(pid_t leader, TimePoint now, const std::function<WorkerUses()>& measure);

 private:
  WorkerUses uses_;
  TimePoint next_{};
};

}  // namespace gray::supervisor
