#include "router/backends/worker_tunnels.hpp"

#include <algorithm>
#include <utility>

namespace gray::proxy {

WorkerTunnels::WorkerTunnels(engine::Engine& engine, segment::Layout& layout, std::uint32_t router_slot,
                             const std::vector<Version>& versions, End end)
    : engine_(engine),
      layout_(layout),
      router_slot_(router_slot),
      versions_(versions),
      end_(std::move(end)),
      timer_(this, [](void* self, TimePoint now) { static_cast<WorkerTunnels*>(self)->on_time(now); }) {}

bool WorkerTunnels::any_left(const Version& version) const {
  return std::any_of(version.workers.begin(), version.workers.end(), [&](const Worker& worker) {
    return worker.able && layout_.workers[worker.cell].tunnels.total() < version.limits.tunnels;
  });
}

bool WorkerTunnels::take(Worker& worker) {
  return layout_.workers[worker.cell].tunnels.acquire(router_slot_, worker.version->limits.tunnels);
}

void WorkerTunnels::drop(Worker& worker) { layout_.workers[worker.cell].tunnels.release(router_slot_); }

// A worker that only fails its probes may recover, so its tunnels stay; those of a dead worker stay until the kernel
// reports it.
void WorkerTunnels::plan(Version& version, const VersionRoute* route) {
  if (route != nullptr) version.drain_timeout = route->drain_timeout;
  const TimePoint now = engine_.now();
  for (Worker& worker : version.workers) {
    const bool drained = route == nullptr || std::find(route->draining.begin(), route->draining.end(),
                                                       worker.generation) != route->draining.end();
    if (worker.able || !drained || worker.leave_at != kNever) continue;
    worker.leave_at = now + version.drain_timeout - grace_period(version.drain_timeout);
    if (!timer_.armed() || worker.leave_at < timer_.deadline()) engine_.timers().arm(timer_, worker.leave_at);
  }
}

void WorkerTunnels::on_time(TimePoint now) {
  end_(now);
  TimePoint next = kNever;
  for (const Version& version : versions_) {
    for (const Worker& worker : version.workers) {
      if (worker.leave_at > now) next = std::min(next, worker.leave_at);
    }
  }
  if (next != kNever) engine_.timers().arm(timer_, next);
}

}  // namespace gray::proxy
