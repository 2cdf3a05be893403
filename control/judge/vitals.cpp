#include "control/judge/vitals.hpp"

#include <algorithm>

namespace gray::control {

/// The processes that are there at the first look have had all requests so far.
Vitals VitalsMeter::look(const VersionView& view, const segment::Totals& totals, const ProcessMeter& meter) {
  Vitals vitals;
  double workers = 0;
  std::uint64_t generations = 0;
  for (const auto& worker : view.workers) {
    if (worker.pid == 0 || !worker.routable) continue;
    generations += worker.generation;
    if (++workers > kMeasuredWorkers) continue;
    vitals.memory += static_cast<double>(meter.memory_bytes(worker.pid));
    vitals.files += static_cast<double>(meter.open_files(worker.pid));
  }
  if (workers == 0) return {};
  if (generations_ != generations) {
    requests_ = generations_ == 0 ? 0 : totals.requests;
    generations_ = generations;
  }
  const double measured = std::min(workers, static_cast<double>(kMeasuredWorkers));
  vitals.processes = generations;
  vitals.requests = static_cast<double>(totals.requests - std::min(requests_, totals.requests)) / workers;
  vitals.memory /= measured;
  vitals.files /= measured;
  return vitals;
}

}  // namespace gray::control
