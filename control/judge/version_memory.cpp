#include "control/judge/version_memory.hpp"

#include <algorithm>

namespace gray::control {

void VersionMemory::look(TimePoint now, const VersionView& view, const segment::Totals& totals,
                         const ProcessMeter& meter) {
  const Vitals mean = vitals_.look(view, totals, meter);
  trend_.add(now, mean);
  growth_.record(mean);
  std::erase_if(workers_, [&](const auto& one) {
    return std::ranges::find(view.workers, one.first, &WorkerView::id) == view.workers.end();
  });
  for (const WorkerView& worker : view.workers) {
    if (worker.pid == 0) continue;
    const auto bytes = static_cast<double>(meter.memory_bytes(worker.pid));
    workers_[worker.id].add(now, {.processes = worker.generation, .requests = mean.requests, .memory = bytes});
  }
}

const MemoryTrend* VersionMemory::worker(const std::string& id) const {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : &found->second;
}

}  // namespace gray::control
