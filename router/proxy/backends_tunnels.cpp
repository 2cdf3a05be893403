// Tunnels as the workers of a thread see them: their limit, and their end when a worker is being drained.
#include <algorithm>

#include "router/proxy/backends.hpp"
#include "router/proxy/tunnel.hpp"
#include "router/proxy/upstream.hpp"

namespace gray::proxy {

bool Backends::has_tunnel(const Version& version) const {
  return std::any_of(version.workers.begin(), version.workers.end(), [&](const Worker& worker) {
    return worker.able && layout_.workers[worker.cell].tunnels.total() < version.limits.tunnels;
  });
}

bool Backends::take_tunnel(Worker& worker) {
  return cell_of(worker).tunnels.acquire(place_.slot, worker.version->limits.tunnels);
}

// One who waited has got a socket, whosever it is: a tunnel to the same worker goes with it, or both of another worker.
bool Backends::join_tunnel(Version& version, Grant& grant) {
  grant.tunnel = take_tunnel(grant.idle != nullptr ? grant.idle->worker() : *grant.dial);
  if (grant.tunnel) return true;
  give_grant_back(grant);
  grant = take(version, {.tunnel = true});
  return static_cast<bool>(grant);
}

void Backends::opened_tunnel(Upstream& upstream) {
  Worker& worker = upstream.worker();
  upstream.units().socket = false;
  cell_of(worker).sockets.release(place_.slot);
  ++worker.tunnels;
  advance(*worker.version);
}

void Backends::leave(Upstream& upstream, Duration within) {
  --upstream.worker().tunnels;
  upstream.leave_tunnel(within);
}

// A worker that merely fails its probes may come back, and its tunnels go on; so do those of one that has died, until
// the kernel says so.
void Backends::plan_farewells(Version& version, const VersionRoute* route) {
  if (route != nullptr) version.drain_timeout = route->drain_timeout;
  const TimePoint now = engine_.now();
  for (Worker& worker : version.workers) {
    const bool drained = route == nullptr || std::find(route->draining.begin(), route->draining.end(),
                                                       worker.generation) != route->draining.end();
    if (worker.able || !drained || worker.leave_at != kNever) continue;
    worker.leave_at = now + version.drain_timeout - grace_period(version.drain_timeout);
    if (!farewell_.armed() || worker.leave_at < farewell_.deadline()) engine_.timers().arm(farewell_, worker.leave_at);
  }
}

void Backends::say_farewell(TimePoint now) {
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {  // an exchange that ends may let another one open a socket
    Upstream& upstream = *upstreams_[i];
    if (upstream.tunnelled() && upstream.worker().leave_at <= now) upstream.end_tunnel(segment::Reason::draining);
  }
  TimePoint next = kNever;
  for (const Version& version : versions_) {
    for (const Worker& worker : version.workers) {
      if (worker.leave_at > now) next = std::min(next, worker.leave_at);
    }
  }
  if (next != kNever) engine_.timers().arm(farewell_, next);
}

// What leave() has left open.
void Backends::cut_short() {
  for (const auto& upstream : upstreams_) {
    if (upstream->ending()) upstream->cut_short();
  }
}

}  // namespace gray::proxy
