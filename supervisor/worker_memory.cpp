#include "supervisor/worker_memory.hpp"

#include <algorithm>
#include <set>

namespace gray::supervisor {
namespace {

constexpr int kMostParents = 64;  // a table that was read while processes ended may have a cycle

}  // namespace

std::map<pid_t, pid_t> worker_of_each(const std::vector<ProcessInfo>& processes, const std::vector<pid_t>& leaders) {
  std::map<pid_t, const ProcessInfo*> by_pid;
  for (const ProcessInfo& process : processes) by_pid[process.pid] = &process;
  const std::set<pid_t> sessions(leaders.begin(), leaders.end());
  std::map<pid_t, pid_t> workers;
  for (const ProcessInfo& process : processes) {
    const ProcessInfo* at = &process;
    for (int step = 0; at != nullptr && step < kMostParents; ++step) {
      if (sessions.contains(at->session)) {
        workers[process.pid] = at->session;
        break;
      }
      const auto parent = by_pid.find(at->parent);
      at = parent == by_pid.end() ? nullptr : parent->second;
    }
  }
  return workers;
}

// Without cgroups one look at the process table serves all workers.
std::map<pid_t, std::uint64_t> resident_bytes_of(const std::vector<const Worker*>& workers) {
  std::map<pid_t, std::uint64_t> bytes;
  std::vector<pid_t> leaders;
  for (const Worker* worker : workers) {
    if (worker->pid() == 0) continue;
    if (!worker->has_cgroup()) {
      leaders.push_back(worker->pid());
      continue;
    }
    std::uint64_t& sum = bytes[worker->pid()];
    for (const pid_t pid : worker->members()) sum += resident_bytes(pid);
  }
  if (leaders.empty()) return bytes;
  for (const auto& [pid, leader] : worker_of_each(all_processes(), leaders)) bytes[leader] += resident_bytes(pid);
  return bytes;
}

WorkerUses measure(const std::vector<const Worker*>& workers) {
  const auto bytes = resident_bytes_of(workers);
  WorkerUses uses;
  for (const Worker* worker : workers) {
    const auto resident = bytes.find(worker->pid());
    if (resident == bytes.end()) continue;
    uses[worker->pid()] = {resident->second, worker->cgroup_memory().value_or(resident->second)};
  }
  return uses;
}

WorkerUse WorkerMemory::of(pid_t leader, TimePoint now, const std::function<WorkerUses()>& measure) {
  if (now >= next_) {
    const TimePoint begin = Clock::now();
    uses_ = measure();
    next_ = now + std::max<TimePoint::duration>(kFresh, kShare * (Clock::now() - begin));
  }
  const auto found = uses_.find(leader);
  if (found != uses_.end()) return found->second;
  const auto bytes = resident_bytes(leader);
  return {bytes, bytes};
}

}  // namespace gray::supervisor
