#include "supervisor/worker_memory.hpp"

#include <algorithm>

namespace gray::supervisor {
namespace {

constexpr int kMostParents = 64;  // a table that was read while processes ended may have a cycle

}  // namespace

std::map<pid_t, pid_t> worker_of_each(const std::vector<ProcessInfo>& processes, const std::vector<pid_t>& leaders) {
  std::map<pid_t, const ProcessInfo*> by_pid;
  for (const ProcessInfo& process : processes) by_pid[process.pid] = &process;
  const auto leads = [&](pid_t pid) { return std::find(leaders.begin(), leaders.end(), pid) != leaders.end(); };
  std::map<pid_t, pid_t> workers;
  for (const ProcessInfo& process : processes) {
    const ProcessInfo* at = &process;
    for (int step = 0; at != nullptr && step < kMostParents; ++step) {
      if (leads(at->session)) {
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
WorkerUses measure(const std::vector<const Worker*>& workers) {
  WorkerUses uses;
  std::vector<pid_t> leaders;
  for (const Worker* worker : workers) {
    if (worker->pid() == 0) continue;
    if (!worker->has_cgroup()) {
      leaders.push_back(worker->pid());
      continue;
    }
    WorkerUse& use = uses[worker->pid()];
    for (const pid_t pid : worker->members()) use.resident += resident_bytes(pid);
    use.group = worker->cgroup_memory().value_or(use.resident);
  }
  if (leaders.empty()) return uses;
  for (const auto& [pid, leader] : worker_of_each(all_processes(), leaders)) {
    uses[leader].resident += resident_bytes(pid);
    uses[leader].group = uses[leader].resident;
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
