#include "control/judge/alarms.hpp"

#include <algorithm>

namespace gray::control {

/// The processes that are there at the first look have had all requests so far.
Vitals Alarms::measured(const Side& side, Baseline& base, const ProcessMeter& meter) {
  Vitals vitals;
  double workers = 0;
  std::uint64_t generations = 0;
  for (const auto& worker : side.view->workers) {
    if (worker.pid == 0 || !worker.routable) continue;
    generations += worker.generation;
    if (++workers > kMeasuredWorkers) continue;
    vitals.resident += static_cast<double>(meter.resident_bytes(worker.pid));
    vitals.files += static_cast<double>(meter.open_files(worker.pid));
  }
  if (workers == 0) return {};
  if (base.generations != generations) base = {generations, base.generations == 0 ? 0 : side.totals.requests};
  const double measured = std::min(workers, static_cast<double>(kMeasuredWorkers));
  vitals.processes = generations;
  vitals.requests = static_cast<double>(side.totals.requests - std::min(base.requests, side.totals.requests)) / workers;
  vitals.resident /= measured;
  vitals.files /= measured;
  return vitals;
}

std::optional<std::string> Alarms::look(TimePoint now, const Side& canary, const Side& stable,
                                        const ProcessMeter& meter) {
  if (auto reason = crash_.look(now, *canary.view, *stable.view)) return reason;
  if (auto reason = hang_.look(now, canary.totals, stable.totals)) return reason;
  if (measured_ && now - *measured_ < kMeasure) return std::nullopt;
  measured_ = now;
  return growth_.look(now, measured(canary, canary_, meter), measured(stable, stable_, meter));
}

}  // namespace gray::control
