// Sockets to workers as they end: closed, or given away, and the units that come back with that.
#include <cstdint>

#include "router/backends/backends.hpp"
#include "router/backends/upstream.hpp"

namespace gray::proxy {

// Where one was stale, the oldest is the likeliest to be.
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
    if (std::exchange(units.tunnel, false)) tunnels_.drop(worker);  // the worker has not said 101
  }
  upstream.close();
}

// The limit holds on the wire: the unit comes back after the close.
void Backends::closed(Upstream& upstream) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  const Units units = upstream.units();
  if (units.socket) {
    --worker.closing;
    cell_of(worker).sockets.release(shard_id_.router_slot);
  }
  if (units.tunnel) tunnels_.drop(worker);
  --worker.open;
  upstreams_.give_back(upstream);
  advance(version);
  version.forget_gone();
}

// Those whose unit was about to come back, before those who wait for whatever comes.
void Backends::serve_expecting(Version& version) {
  while (version.expecting.size() > 0) {
    WorkerSeeker& seeker = *version.expecting.oldest();
    const Lease lease = take(version, {.fresh = true, .tunnel = seeker.wants_tunnel(), .spare = true});
    if (!lease && version.closing() >= version.expecting.size()) return;
    leave_queue(version, seeker);
    if (lease) {
      lease_to(version, seeker, lease);
    } else {  // somebody else was faster
      waiting_.take_place(version.row, UINT16_MAX);
      wait_in_queue(version, seeker);
    }
  }
}

// Whoever waits now gets it; nobody any more: it is taken back.
void Backends::released(Upstream& upstream, int fd) {
  if (fd < 0) {
    ++upstream.worker().closing;
    return closed(upstream);
  }
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  const std::uint32_t cell = worker.cell;
  const std::uint64_t generation = worker.generation;
  const int thread = waiting_.next(version.row);
  --worker.open;
  upstreams_.give_back(upstream);
  if (thread < 0) return adopt(fd, version.row, cell, generation);
  neighbours_.hand_over(static_cast<std::uint32_t>(thread), fd, version.row, cell, generation);
  advance(version);
  version.forget_gone();
}

}  // namespace gray::proxy
