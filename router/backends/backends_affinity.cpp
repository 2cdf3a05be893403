// Requests of users who stay on one worker (affinity = "identity").
//
// A user's own worker may have no socket to give. Such a request waits for it, with a place in the version's queue,
// until queue_timeout; then it takes a socket of any other worker that has one. It takes one at once if nobody may
// wait, if the queue is full, or if the wait would be too long. Both are counted as spills.
//
// The threads that have such requests are listed per worker (WorkerCell::awaited): a socket of another worker must not
// be handed to them.
#include "router/backends/backends.hpp"
#include "router/backends/upstream.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {

// A repeated attempt goes to another worker, and a request of a slow client takes any.
WorkerSide* Backends::acquire_of_user(Version& version, WorkerSeeker& seeker, Wish wish) {
  wish.only_preferred = !seeker.slow && !seeker.repeats();
  Lease lease = take(version, wish);
  if (!lease && wish.only_preferred) {
    Worker* own = version.preferred(wish, engine_.now());
    if (own != nullptr && await_worker(version, seeker, *own, wish)) return nullptr;
    wish.only_preferred = false;
    lease = take(version, wish);
    if (own != nullptr && lease) stats::add(counters_.row(version.row).affinity_spills);
  }
  return lease ? serve(lease, seeker) : nullptr;
}

// No event tells that a tunnel has become free, so nobody waits for one.
bool Backends::await_worker(Version& version, WorkerSeeker& seeker, Worker& worker, const Wish& wish) {
  const Limits& limits = version.limits;
  if (wish.tunnel && cell_of(worker).tunnels.total() >= limits.tunnels) return false;
  const upstream::QueueLoad load{
      .sockets = limits.max_sockets, .mean_service = version.service_time.mean(), .limit = limits.queue_timeout};
  if (!load.worth_waiting(worker.awaiting.size()) || !waiting_.take_place(version.row, limits.queue)) return false;
  seeker.awaits = &worker;
  worker.awaiting.push(seeker, engine_.now(), limits.queue_timeout);
  ++version.awaiting;
  stats::add(counters_.row(version.row).waiting, 1);
  waiting_.announce(cell_of(worker));
  for_each_giver(version, [&](std::uint32_t thread) {
    neighbours_.ask(thread, shard_id_.thread, version.row, worker.cell, worker.generation);
  });
  if (version.has_room(worker, layout_, {})) serve_waiters_at(engine_.now());  // it became free before the announcement
  return true;
}

void Backends::stop_awaiting(Version& version, WorkerSeeker& seeker) {
  Worker& worker = *std::exchange(seeker.awaits, nullptr);
  worker.awaiting.remove(seeker);
  --version.awaiting;
  waiting_.leave_place(version.row);
  stats::add(counters_.row(version.row).waiting, -1);
  if (worker.awaiting.size() > 0) return;
  waiting_.retract(cell_of(worker));
  wake_awaiting(worker);
}

WorkerSide* Backends::spill(Version& version, WorkerSeeker& seeker) {
  stop_awaiting(version, seeker);
  const Lease lease = take(version, {.tunnel = seeker.wants_tunnel()});
  if (!lease) return nullptr;
  stats::add(counters_.row(version.row).affinity_spills);
  return serve(lease, seeker);
}

Backends::Lease Backends::take_from(Worker& worker) {
  if (Upstream* idle = worker.idle.take_newest()) return {.idle = idle};
  if (cell_of(worker).sockets.acquire(shard_id_.router_slot, worker.version->limits.max_sockets))
    return {.dial = &worker};
  return {};
}

void Backends::serve_awaiting(Version& version) {
  for (Worker& worker : version.workers) serve_awaiting(version, worker);
}

void Backends::serve_awaiting(Version& version, Worker& worker) {
  while (worker.awaiting.size() > 0) {
    const Lease lease = take_from(worker);
    if (!lease) return;
    WorkerSeeker* seeker = worker.awaiting.pop(engine_.now());
    if (seeker == nullptr) return give_back(lease);  // all have expired: their own deadlines answer them
    stop_awaiting(version, *seeker);
    lease_to(version, *seeker, lease);
  }
}

// The worker gets no more requests: those that wait for it keep their place, and take any.
void Backends::requeue_awaiting(Version& version, Worker& worker) {
  while (WorkerSeeker* seeker = worker.awaiting.oldest()) {
    stop_awaiting(version, *seeker);
    waiting_.take_place(version.row, UINT16_MAX);
    wait_in_queue(version, *seeker);
  }
}

bool Backends::awaited_elsewhere(const Worker& worker) const { return waiting_.others(cell_of(worker)); }

// A unit may have become free, or an idle socket.
void Backends::wake_awaiting(Worker& worker) {
  if (!awaited_elsewhere(worker) || !worker.version->has_room(worker, layout_, {})) return;
  if (Upstream* idle = worker.idle.take_newest()) return give_to_neighbour(*idle);
  const int thread = waiting_.next(cell_of(worker));
  thread < 0 ? neighbours_.wake_routers() : neighbours_.wake(static_cast<std::uint32_t>(thread), worker.version->row);
}

void Backends::offer(std::uint32_t to, std::uint32_t row_index, std::uint32_t cell, std::uint64_t generation) {
  Worker* worker = versions_[row_index].find(cell, generation);
  if (to == shard_id_.thread || worker == nullptr || !waiting_.of(cell_of(*worker), to)) return;
  if (Upstream* idle = worker->idle.take_newest()) give_to_neighbour(*idle);
}

}  // namespace gray::proxy
