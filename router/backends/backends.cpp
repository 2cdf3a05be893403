#include "router/backends/backends.hpp"

#include <unistd.h>

#include <algorithm>

#include "router/backends/upstream.hpp"
#include "router/policy/pace.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr Duration kSuspicion{1'000};  // after a worker broke a connection: chosen only if there is no other
constexpr Duration kTurnSlack{5};      // to move a socket to another thread costs as much as several requests

}  // namespace

Backends::Backends(engine::Engine& engine, segment::Layout& layout, ShardId shard_id, Neighbours& neighbours,
                   MakeUpstream make_upstream, std::function<void()> surplus)
    : engine_(engine),
      layout_(layout),
      shard_id_(shard_id),
      neighbours_(neighbours),
      counters_(layout, shard_id),
      waiting_(layout, shard_id),
      slow_share_(layout, shard_id.router_slot),
      versions_(segment::kVersions),
      make_upstream_(std::move(make_upstream)),
      upstreams_(std::move(surplus)),
      tunnels_(engine, layout, shard_id.router_slot, versions_, [this](TimePoint now) { end_tunnels(now); }),
      expiry_(this, [](void* self, TimePoint now) { static_cast<Backends*>(self)->expire_idle(now); }),
      serve_timer_(this, [](void* self, TimePoint) { static_cast<Backends*>(self)->serve_waiters(); }) {
  for (std::uint32_t row = 0; row < versions_.size(); ++row) {
    versions_[row].row = row;
    versions_[row].idle_sockets = &counters_.idle_address(row);
  }
}

Backends::~Backends() = default;

void Backends::apply(const RoutingTable& table) {
  std::vector<bool> seen(versions_.size(), false);
  for (const ServiceRoute& service : table.services) {
    for (const VersionRoute& route : service.versions) {
      seen[route.row] = true;
      versions_[route.row].limits = service.limits;
      versions_[route.row].affinity = service.affinity;
      apply(versions_[route.row], &route);
    }
  }
  for (Version& version : versions_) {
    if (!seen[version.row]) apply(version, nullptr);
  }
}

// Without a route: the version is gone.
void Backends::apply(Version& version, const VersionRoute* route) {
  version.update(route == nullptr ? std::vector<WorkerRoute>{} : route->workers, engine_.now());
  tunnels_.plan(version, route);
  const bool withdrawn = route != nullptr && route->withdrawn;
  if (withdrawn && !version.withdrawn) withdraw(version);
  version.withdrawn = withdrawn;
  for (Worker& worker : version.workers) {
    if (!worker.able) retire(worker);
    if (!worker.able) requeue_awaiting(version, worker);
  }
  version.forget_gone();
  advance(version);
}

// Nothing leaves a queue here: the exchanges arm their timers.
void Backends::withdraw(Version& version) {
  const auto notify = [](const upstream::WaitQueue<WorkerSeeker>& queue) {
    for (WorkerSeeker* seeker = queue.oldest(); seeker != nullptr; seeker = seeker->next) seeker->version_withdrawn();
  };
  notify(version.queue);
  notify(version.slow_queue);
  notify(version.expecting);
  for (const Worker& worker : version.workers) notify(worker.awaiting);
  upstreams_.for_each([&version](Upstream& upstream) {
    if (!upstream.idle() && upstream.worker().version == &version) upstream.version_withdrawn();
  });
}

void Backends::retire(Worker& worker) {
  while (Upstream* idle = worker.idle.take_newest()) recycle(*idle);
}

Backends::Lease Backends::take(Version& version, const Wish& wish) {
  // A unit that another thread takes between the check and the acquire costs one more round; rounds are bounded.
  for (std::size_t round = 0; round <= version.workers.size(); ++round) {
    Worker* worker = version.choose(wish, layout_, engine_.now());
    if (worker == nullptr) return {};
    if (wish.tunnel && !tunnels_.take(*worker)) continue;
    Upstream* idle = wish.fresh ? nullptr : worker->idle.take_newest();
    if (idle != nullptr) return {.idle = idle, .tunnel = wish.tunnel};
    const bool closes = wish.fresh && !wish.spare && close_stale(*worker);
    if (cell_of(*worker).sockets.acquire(shard_id_.router_slot, version.limits.max_sockets))
      return {.dial = worker, .tunnel = wish.tunnel};
    if (wish.tunnel) tunnels_.drop(*worker);
    if (closes) break;  // its unit becomes free
  }
  return {};
}

Upstream* Backends::serve(const Lease& lease, WorkerSeeker& seeker) {
  if (lease.idle != nullptr) {
    lease.idle->units().tunnel = lease.tunnel;
    lease.idle->attach(seeker);
    return lease.idle;
  }
  Worker& worker = *lease.dial;
  Upstream& upstream = *upstreams_.take([this] { return make_upstream_(*this); });
  const engine::StreamId stream = engine_.connect(worker.address, worker.owner, upstream);
  if (!stream) {  // this process is out of descriptors
    upstreams_.give_back(upstream);
    give_back(lease);
    return nullptr;
  }
  ++worker.open;
  stats::add(counters_.row(worker.version->row).connects);
  upstream.open(worker, cell_of(worker), stream, true);
  upstream.units().tunnel = lease.tunnel;
  upstream.attach(seeker);
  return &upstream;
}

WorkerSide* Backends::acquire(Version& version, WorkerSeeker& seeker, const Wish& wish) {
  if (seeker.slow && !slow_share_.admits(version)) return nullptr;
  if (wish.affinity != 0) return acquire_of_user(version, seeker, wish);
  const Lease lease = take(version, wish);
  return lease ? serve(lease, seeker) : nullptr;
}

void Backends::release(Upstream& upstream) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  upstream.detach();
  if (std::exchange(upstream.units().tunnel, false)) tunnels_.drop(worker);
  if (!worker.able || draining_) return recycle(upstream);
  const bool awaited = version.affinity && awaited_elsewhere(worker);
  if ((awaited || wanted_elsewhere(version)) && is_turn_of_others(worker)) return give_to_neighbour(upstream);
  keep(upstream);
}

void Backends::keep(Upstream& upstream) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  worker.idle.put(upstream, engine_.now());
  if (version.waiting()) {
    advance(version);
    if (version.affinity) wake_awaiting(worker);
    return;
  }
  // Whoever announced that they wait before they could see this idle socket did not ask for it.
  if (version.affinity) wake_awaiting(worker);
  if (worker.idle.size() > 0 && wanted_elsewhere(version)) give_idle(version);
  if (!expiry_.armed()) engine_.timers().arm(expiry_, engine_.now() + version.limits.upstream_idle);
}

void Backends::discard(Upstream& upstream, bool suspect) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  if (suspect) {
    worker.suspect_until = engine_.now() + kSuspicion;
    stats::add(counters_.row(version.row).connect_errors);
    if (version.waiting()) serve_waiters_at(worker.suspect_until);
  }
  if (upstream.linked) worker.idle.remove(upstream);
  recycle(upstream);
}

// Each attempt meets it until the master has withdrawn the worker; one report is enough.
void Backends::met_stranger(Upstream& upstream, const PeerOwner& found) {
  Worker& worker = upstream.worker();
  if (worker.report_again > engine_.now()) return;
  worker.report_again = engine_.now() + kSuspicion;
  neighbours_.met_stranger(worker.cell, worker.generation, found);
}

void Backends::lease_to(Version& version, WorkerSeeker& seeker, Lease lease) {
  if (seeker.wants_tunnel() && !lease.tunnel && !join_tunnel(version, lease)) return seeker.exhausted_tunnels();
  if (Upstream* upstream = serve(lease, seeker)) return seeker.granted(*upstream);
  seeker.exhausted();
}

void Backends::advance(Version& version) {
  if (std::exchange(version.unsorted, false)) sort_queue(version);
  serve_expecting(version);
  if (version.awaiting > 0) serve_awaiting(version);
  while (version.queue.size() > 0 && serve_queue(version, version.queue)) {
  }
  if (version.queue.size() > 0) return;
  while (version.slow_queue.size() > 0 && slow_share_.admits(version) && serve_queue(version, version.slow_queue)) {
  }
  // Two threads with waiters that cannot be served would wake each other for ever.
  if (version.slow_queue.size() > 0 && waiting_.others(version.row) != Waiting::fair) return;
  if (wanted_elsewhere(version) && !give_idle(version)) wake_others(version);
}

// False: there is no socket, or nobody to give it to.
bool Backends::serve_queue(Version& version, upstream::WaitQueue<WorkerSeeker>& queue) {
  const Lease lease = take(version, {});
  if (!lease) return false;
  if (&queue == &version.queue) drop_hopeless(version);
  const bool newest_first = upstream::Shedding::newest_first(queue_load(version));
  WorkerSeeker* seeker =
      queue.pop(engine_.now(), newest_first ? upstream::Order::newest_first : upstream::Order::oldest_first);
  if (seeker == nullptr) {  // all have expired: their own deadlines answer them
    give_back(lease);
    return false;
  }
  left_queue(version, *seeker);
  lease_to(version, *seeker, lease);
  return true;
}

void Backends::give_back(const Lease& lease) {
  if (lease.idle != nullptr) lease.idle->worker().idle.put(*lease.idle, engine_.now());
  if (lease.dial != nullptr) cell_of(*lease.dial).sockets.release(shard_id_.router_slot);
  if (lease.tunnel) tunnels_.drop(lease.idle != nullptr ? lease.idle->worker() : *lease.dial);
}

// ---- neighbours

// Whether another thread waits for a socket, and may have it.
bool Backends::wanted_elsewhere(const Version& version) const {
  const Waiting kind = waiting_.others(version.row);
  return kind == Waiting::fair || (kind == Waiting::slow && slow_share_.admits(version));
}

// First come, first served to kTurnSlack, whichever thread has the request. Of those that wait for this worker only,
// threads take turns.
bool Backends::is_turn_of_others(const Worker& worker) const {
  Version& version = *worker.version;
  if (version.queue.size() + worker.awaiting.size() == 0) return true;
  if (version.affinity && awaited_elsewhere(worker) && (++version.turn & 1) != 0) return true;
  const WorkerSeeker* oldest = worker.awaiting.oldest() != nullptr ? worker.awaiting.oldest() : version.queue.oldest();
  const std::optional<TimePoint> theirs = waiting_.oldest_elsewhere(version.row);
  return theirs && (oldest == nullptr || *theirs + kTurnSlack < oldest->since);
}

// Threads that need this very worker come first: others can use any.
int Backends::next_waiting(const Worker& worker) const {
  const int thread = worker.version->affinity ? waiting_.next(cell_of(worker)) : -1;
  return thread >= 0 ? thread : next_waiting(*worker.version);
}

int Backends::next_waiting(const Version& version) const {
  const int thread = waiting_.next(version.row, Waiting::fair);
  return thread >= 0 ? thread : waiting_.next(version.row, Waiting::slow);
}

// A free unit is offered to a thread of this router first; other routers are notified only if no thread here waits.
void Backends::wake_others(const Version& version) {
  if (!wanted_elsewhere(version)) return;
  const int thread = next_waiting(version);
  thread < 0 ? neighbours_.wake_routers() : neighbours_.wake(static_cast<std::uint32_t>(thread), version.row);
}

// The worker with the free unit is suspect here, but not to every thread.
void Backends::wake_all(const Version& version) {
  for (std::uint32_t thread = 0; thread < segment::kThreads; ++thread) {
    if (thread != shard_id_.thread && waiting_.of(version.row, thread) != Waiting::none)
      neighbours_.wake(thread, version.row);
  }
}

// The socket goes to a waiting thread with its unit; a waiter of another router gets the unit only.
void Backends::give_to_neighbour(Upstream& upstream) {
  const bool wanted = next_waiting(upstream.worker()) >= 0;
  wanted&& engine_.unsent(upstream.stream()) == 0 ? upstream.give_away() : recycle(upstream);
}

void Backends::adopt(int fd, std::uint32_t row_index, std::uint32_t cell, std::uint64_t generation) {
  Version& version = versions_[row_index];
  Worker* worker = version.find(cell, generation);
  Upstream& upstream = *upstreams_.take([this] { return make_upstream_(*this); });
  const engine::StreamId stream =
      worker != nullptr && worker->able && !draining_ ? engine_.adopt(fd, upstream) : engine::StreamId{};
  if (!stream) {
    const bool gone = worker == nullptr || !worker->able;
    ::close(fd);
    upstreams_.give_back(upstream);
    layout_.workers[cell].sockets.release(shard_id_.router_slot);
    if (gone) neighbours_.worker_unused();
    return advance(version);
  }
  ++worker->open;
  counters_.announce(row_index);
  upstream.open(*worker, cell_of(*worker), stream, false);
  version.waiting() ? keep(upstream) : release(upstream);  // it was meant for this thread
}

void Backends::offer(std::uint32_t to, std::uint32_t row_index) {
  Version& version = versions_[row_index];
  if (to == shard_id_.thread || version.queue.size() > 0) return;
  const Waiting kind = waiting_.of(row_index, to);
  const bool may_have = kind == Waiting::fair || (kind == Waiting::slow && slow_share_.admits(version));
  if (!may_have || !give_idle(version)) make_room(version, kind);
}

bool Backends::give_idle(Version& version) {
  for (Worker& worker : version.workers) {
    Upstream* idle = worker.idle.take_newest();
    if (idle == nullptr) continue;
    give_to_neighbour(*idle);
    return true;
  }
  return false;
}

// ---- tunnels

// A waiting upgrade has got a socket to some worker: it needs a tunnel of that worker too, or else both of another one.
bool Backends::join_tunnel(Version& version, Lease& lease) {
  lease.tunnel = tunnels_.take(lease.idle != nullptr ? lease.idle->worker() : *lease.dial);
  if (lease.tunnel) return true;
  give_back(lease);
  lease = take(version, {.tunnel = true});
  return static_cast<bool>(lease);
}

void Backends::opened_tunnel(Upstream& upstream) {
  Worker& worker = upstream.worker();
  upstream.units().socket = false;
  cell_of(worker).sockets.release(shard_id_.router_slot);
  ++worker.tunnels;
  advance(*worker.version);
}

void Backends::leave(Upstream& upstream, Duration within) {
  --upstream.worker().tunnels;
  upstream.leave_tunnel(within);
}

void Backends::end_tunnels(TimePoint now) {
  upstreams_.for_each([now](Upstream& upstream) {  // the end of one exchange may let another one open a socket
    if (upstream.tunnelled() && upstream.worker().leave_at <= now) upstream.end_tunnel(Reason::draining);
  });
}

// ---- idle sockets

void Backends::expire_idle(TimePoint now) {
  std::optional<TimePoint> next;
  for (Version& version : versions_) {
    for (Worker& worker : version.workers) {
      while (Upstream* idle = worker.idle.take_expired(now, version.limits.upstream_idle)) recycle(*idle);
      const auto deadline = worker.idle.next_deadline(version.limits.upstream_idle);
      if (deadline && (!next || *deadline < *next)) next = deadline;
    }
    version.forget_gone();
  }
  if (next) engine_.timers().arm(expiry_, *next);
}

void Backends::drain() {
  draining_ = true;
  for (Version& version : versions_) {
    for (Worker& worker : version.workers) retire(worker);
  }
}

// Closes what leave() left open.
void Backends::cut_short() {
  upstreams_.for_each([](Upstream& upstream) {
    if (upstream.ending()) upstream.cut_short();
  });
}

std::size_t Backends::idle_sockets() const {
  std::size_t count = 0;
  for (const Version& version : versions_) {
    for (const Worker& worker : version.workers) count += worker.idle.size();
  }
  return count;
}

}  // namespace gray::proxy
