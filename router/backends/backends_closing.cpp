// How sockets to workers end: closed or handed over, and when their units become free.
#include <cstdint>

#include "router/backends/backends.hpp"
#include "router/backends/upstream.hpp"

namespace gray::proxy {

// After one stale socket the oldest is the most likely to be stale, too.
bool Backends::close_stale(Worker& worker) {
  Upstream* stale = worker.idle.oldest();
  if (stale == nullptr) return false;
  worker.idle.remove(*stale);
  recycle(*stale);
  return true;
}

void Backends::recycle(Upstream& upstream) {
  Worker& worker = upstream.worker();
  if (upstream.tunnelled()) --worker.tunnels;
  Units& units = upstream.units();
  if (units.socket) {
    ++worker.closing;
    if (std::exchange(units.tunnel, false)) tunnels_.drop(worker);  // the worker has not sent 101
  }
  upstream.close();
}

// The unit is given back only after the close, so the worker never sees more sockets than the limit.
void Backends::closed(Upstream& upstream) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  const Units units = upstream.units();
  if (units.socket) {
    --worker.closing;
    cell_of(worker).sockets.release(shard_id_.router_slot);
  }
  if (units.tunnel) tunnels_.drop(worker);
  const bool unused = --worker.open == 0 && !worker.able;
  upstreams_.give_back(upstream);
  advance(version);
  const bool kept_from_us = version.queue.size() > 0 || worker.suspect_until > engine_.now();
  if (kept_from_us && version.has_room(layout_)) wake_all(version);
  if (version.affinity) wake_awaiting(worker);
  version.forget_gone();
  if (unused) neighbours_.worker_unused();
}

// Seekers that wait for a unit of a closing socket are served before the queue.
void Backends::serve_expecting(Version& version) {
  while (version.expecting.size() > 0) {
    WorkerSeeker& seeker = *version.expecting.oldest();
    const Lease lease = take(version, {.fresh = true, .tunnel = seeker.wants_tunnel(), .spare = true});
    if (!lease && version.closing() >= version.expecting.size()) return;
    leave_queue(version, seeker);
    if (lease) {
      lease_to(version, seeker, lease);
    } else {  // another thread took the unit
      waiting_.take_place(version.row, UINT16_MAX);
      wait_in_queue(version, seeker);
    }
  }
}

// The next waiting thread gets the socket; if none waits any more, it is adopted again.
void Backends::released(Upstream& upstream, int fd) {
  if (fd < 0) {
    ++upstream.worker().closing;
    return closed(upstream);
  }
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  const std::uint32_t cell = worker.cell;
  const std::uint64_t generation = worker.generation;
  const int thread = next_waiting(worker);
  --worker.open;
  upstreams_.give_back(upstream);
  if (thread < 0) return adopt(fd, version.row, cell, generation);
  neighbours_.hand_over(static_cast<std::uint32_t>(thread), fd, version.row, cell, generation);
  advance(version);
  version.forget_gone();
}

}  // namespace gray::proxy
