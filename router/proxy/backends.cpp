#include "router/proxy/backends.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "router/proxy/upstream.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr Duration kSuspicion{1'000};  // how long a worker that broke a connection is only taken if there is no other
constexpr Duration kPollWaiting{20};   // how often waiters look for units that another router process freed

}  // namespace

Backends::Backends(engine::Engine& engine, segment::Layout& layout, Place place, Neighbours& neighbours,
                   std::function<std::unique_ptr<Upstream>()> make_upstream)
    : engine_(engine),
      layout_(layout),
      place_(place),
      neighbours_(neighbours),
      make_upstream_(std::move(make_upstream)),
      versions_(segment::kVersions),
      expiry_(this, [](void* self, TimePoint now) { static_cast<Backends*>(self)->expire_idle(now); }),
      farewell_(this, [](void* self, TimePoint now) { static_cast<Backends*>(self)->say_farewell(now); }),
      retry_(this, [](void* self, TimePoint) { static_cast<Backends*>(self)->poll_waiting(); }) {
  for (std::uint32_t row = 0; row < versions_.size(); ++row) versions_[row].row = row;
}

Backends::~Backends() = default;

void Backends::apply(const RoutingTable& table) {
  std::vector<bool> seen(versions_.size(), false);
  for (const ServiceRoute& service : table.services) {
    for (const VersionRoute& route : service.versions) {
      seen[route.row] = true;
      versions_[route.row].limits = service.limits;
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
  plan_farewells(version, route);
  for (Worker& worker : version.workers) {
    if (!worker.able) retire(worker);
  }
  forget_gone(version);
  advance(version);
}

void Backends::retire(Worker& worker) {
  while (Upstream* idle = worker.idle.take_newest()) recycle(*idle);
}

void Backends::forget_gone(Version& version) {
  version.workers.remove_if(
      [](const Worker& worker) { return !worker.able && worker.open == 0 && worker.in_flight == 0; });
}

Backends::Grant Backends::take(Version& version, const Wish& wish) {
  // A unit that another thread takes between the look and the grab costs one more round; there are as many as workers.
  for (std::size_t round = 0; round <= version.workers.size(); ++round) {
    Worker* worker = version.choose(wish, layout_, engine_.now());
    if (worker == nullptr) return {};
    if (wish.tunnel && !take_tunnel(*worker)) continue;
    Upstream* idle = wish.fresh ? nullptr : worker->idle.take_newest();
    if (idle != nullptr) return {.idle = idle, .tunnel = wish.tunnel};
    const bool closes = wish.fresh && !wish.spare && close_stale(*worker);
    if (cell_of(*worker).sockets.acquire(place_.slot, version.limits.max_sockets))
      return {.dial = worker, .tunnel = wish.tunnel};
    if (wish.tunnel) drop_tunnel(*worker);
    if (closes) break;  // its unit comes back
  }
  return {};
}

Upstream& Backends::blank() {
  if (spare_.empty()) {
    upstreams_.push_back(make_upstream_());
    spare_.reserve(upstreams_.size());
    spare_.push_back(upstreams_.back().get());
  }
  Upstream& upstream = *spare_.back();
  spare_.pop_back();
  return upstream;
}

Upstream* Backends::serve(const Grant& grant, WorkerSeeker& seeker) {
  if (grant.idle != nullptr) {
    grant.idle->units().tunnel = grant.tunnel;
    grant.idle->attach(seeker);
    return grant.idle;
  }
  Worker& worker = *grant.dial;
  Upstream& upstream = blank();
  const engine::StreamId stream = engine_.connect(worker.address, upstream);
  if (!stream) {  // this process is out of descriptors
    spare_.push_back(&upstream);
    give_grant_back(grant);
    return nullptr;
  }
  ++worker.open;
  stats::add(row(worker.version->row).connects);
  upstream.open(worker, stream, true);
  upstream.units().tunnel = grant.tunnel;
  upstream.attach(seeker);
  return &upstream;
}

WorkerSide* Backends::acquire(Version& version, WorkerSeeker& seeker, const Wish& wish) {
  const Grant grant = take(version, wish);
  return grant ? serve(grant, seeker) : nullptr;
}

void Backends::release(Upstream& upstream) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  upstream.detach();
  if (std::exchange(upstream.units().tunnel, false)) drop_tunnel(worker);
  if (!worker.able || draining_) {
    recycle(upstream);
    return advance(version);
  }
  if (others_wait(version) && (version.queue.size() == 0 || (++version.turn & 1) != 0))
    return give_to_neighbour(upstream);
  worker.idle.put(upstream, engine_.now());
  if (version.queue.size() > 0) return advance(version);
  if (!expiry_.armed()) engine_.timers().arm(expiry_, engine_.now() + version.limits.upstream_idle);
}

void Backends::discard(Upstream& upstream, bool suspect) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  if (suspect) {
    worker.suspect_until = engine_.now() + kSuspicion;
    stats::add(row(version.row).connect_errors);
  }
  if (upstream.linked) worker.idle.remove(upstream);
  recycle(upstream);
}

void Backends::grant_to(Version& version, WorkerSeeker& seeker, Grant grant) {
  if (seeker.wants_tunnel() && !grant.tunnel && !join_tunnel(version, grant)) return seeker.exhausted_tunnels();
  if (Upstream* upstream = serve(grant, seeker)) return seeker.granted(*upstream);
  seeker.exhausted();
}

void Backends::advance(Version& version) {
  serve_expecting(version);
  while (version.queue.size() > 0) {
    const Grant grant = take(version, {});
    if (!grant) break;
    WorkerSeeker* seeker = version.queue.pop(engine_.now());
    if (seeker == nullptr) {  // all that wait have expired; their own timers answer them
      give_grant_back(grant);
      break;
    }
    left_queue(version);
    grant_to(version, *seeker, grant);
  }
  if (version.queue.size() == 0 && others_wait(version)) {
    if (const int thread = next_waiting_thread(version); thread >= 0)
      neighbours_.wake(static_cast<std::uint32_t>(thread), version.row);
  }
}

void Backends::give_grant_back(const Grant& grant) {
  if (grant.idle != nullptr) grant.idle->worker().idle.put(*grant.idle, engine_.now());
  if (grant.dial != nullptr) cell_of(*grant.dial).sockets.release(place_.slot);
  if (grant.tunnel) drop_tunnel(grant.idle != nullptr ? grant.idle->worker() : *grant.dial);
}

// ---- waiting

Reason Backends::enqueue(Version& version, WorkerSeeker& seeker) {
  if (version.closing() > version.expecting.size() && (seeker.repeats() || version.queue.size() == 0)) {
    seeker.expects = true;
    version.expecting.push(seeker, engine_.now(), version.limits.queue_timeout);
    return Reason::none;
  }
  segment::VersionCell& cell = layout_.versions[version.row];
  if (!cell.waiting.acquire(place_.slot, version.limits.queue)) return Reason::queue_full;
  const std::size_t position = cell.waiting.total();
  if (!upstream::worth_waiting(position, version.slots(), version.service_time.mean(), version.limits.queue_timeout)) {
    cell.waiting.release(place_.slot);
    return Reason::overloaded;
  }
  wait_in_queue(version, seeker);
  return Reason::none;
}

// A unit of the places in the queue is taken.
void Backends::wait_in_queue(Version& version, WorkerSeeker& seeker) {
  version.queue.push(seeker, engine_.now(), version.limits.queue_timeout);
  stats::add(row(version.row).waiting, 1);
  layout_.versions[version.row].waiters[place_.slot].fetch_or(1u << place_.thread);
  neighbours_.ask(place_.thread, version.row);
  if (!retry_.armed()) engine_.timers().arm(retry_, engine_.now() + kPollWaiting);
}

void Backends::leave_queue(Version& version, WorkerSeeker& seeker) {
  if (std::exchange(seeker.expects, false)) return version.expecting.remove(seeker);
  version.queue.remove(seeker);
  left_queue(version);
}

void Backends::left_queue(Version& version) {
  segment::VersionCell& cell = layout_.versions[version.row];
  cell.waiting.release(place_.slot);
  stats::add(row(version.row).waiting, -1);
  if (version.queue.size() == 0) cell.waiters[place_.slot].fetch_and(~(1u << place_.thread));
}

void Backends::poll_waiting() {
  bool waiting = false;
  for (Version& version : versions_) {
    if (version.queue.size() > 0) advance(version);
    waiting = waiting || version.queue.size() > 0;
  }
  if (waiting) engine_.timers().arm(retry_, engine_.now() + kPollWaiting);
}

// ---- neighbours

bool Backends::others_wait(const Version& version) const {
  for (std::uint32_t slot = 0; slot < segment::kSlots; ++slot) {
    std::uint32_t mask = layout_.versions[version.row].waiters[slot].load(std::memory_order_relaxed);
    if (slot == place_.slot) mask &= ~(1u << place_.thread);
    if (mask != 0) return true;
  }
  return false;
}

// The next thread of this router behind ours that waits; -1: only another router's threads do.
int Backends::next_waiting_thread(const Version& version) const {
  const std::uint32_t mask = layout_.versions[version.row].waiters[place_.slot].load(std::memory_order_relaxed);
  for (std::uint32_t step = 1; step < segment::kThreads; ++step) {
    const std::uint32_t thread = (place_.thread + step) % segment::kThreads;
    if ((mask >> thread & 1) != 0) return static_cast<int>(thread);
  }
  return -1;
}

// The socket goes to a waiting thread with its unit; a waiter of another router gets the unit only, by its own polling.
void Backends::give_to_neighbour(Upstream& upstream) {
  Worker& worker = upstream.worker();
  Version& version = *worker.version;
  const int thread = next_waiting_thread(version);
  if (thread < 0 || engine_.unsent(upstream.stream()) > 0) {
    recycle(upstream);
    return advance(version);
  }
  upstream.give_away();
}

void Backends::adopt(int fd, std::uint32_t row_index, std::uint32_t cell, std::uint64_t generation) {
  Version& version = versions_[row_index];
  Worker* worker = version.find(cell, generation);
  Upstream& upstream = blank();
  const engine::StreamId stream =
      worker != nullptr && worker->able && !draining_ ? engine_.adopt(fd, upstream) : engine::StreamId{};
  if (!stream) {
    if (worker == nullptr || !worker->able || draining_) ::close(fd);
    spare_.push_back(&upstream);
    layout_.workers[cell].sockets.release(place_.slot);
    return advance(version);
  }
  ++worker->open;
  upstream.open(*worker, stream, false);
  release(upstream);
}

void Backends::offer(std::uint32_t to, std::uint32_t row_index) {
  Version& version = versions_[row_index];
  if (to == place_.thread || version.queue.size() > 0) return;
  if ((layout_.versions[row_index].waiters[place_.slot].load(std::memory_order_relaxed) >> to & 1) == 0) return;
  for (Worker& worker : version.workers) {
    if (Upstream* idle = worker.idle.take_newest()) return give_to_neighbour(*idle);
  }
}

// ---- the end of sockets

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
    if (std::exchange(units.tunnel, false)) drop_tunnel(worker);  // the worker has not said 101
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
    cell_of(worker).sockets.release(place_.slot);
  }
  if (units.tunnel) drop_tunnel(worker);
  --worker.open;
  spare_.push_back(&upstream);
  advance(version);
  forget_gone(version);
}

// Those whose unit was about to come back, before those who wait for whatever comes.
void Backends::serve_expecting(Version& version) {
  while (version.expecting.size() > 0) {
    WorkerSeeker& seeker = *version.expecting.oldest();
    const Grant grant = take(version, {.fresh = true, .tunnel = seeker.wants_tunnel(), .spare = true});
    if (!grant && version.closing() >= version.expecting.size()) return;
    leave_queue(version, seeker);
    if (grant) {
      grant_to(version, seeker, grant);
    } else {  // somebody else was faster
      layout_.versions[version.row].waiting.acquire(place_.slot, UINT16_MAX);
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
  const int thread = next_waiting_thread(version);
  --worker.open;
  spare_.push_back(&upstream);
  if (thread < 0) return adopt(fd, version.row, cell, generation);
  neighbours_.hand_over(static_cast<std::uint32_t>(thread), fd, version.row, cell, generation);
  advance(version);
  forget_gone(version);
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
    forget_gone(version);
  }
  if (next) engine_.timers().arm(expiry_, *next);
}

void Backends::drain() {
  draining_ = true;
  for (Version& version : versions_) {
    for (Worker& worker : version.workers) retire(worker);
  }
}

std::size_t Backends::idle_sockets() const {
  std::size_t count = 0;
  for (const Version& version : versions_) {
    for (const Worker& worker : version.workers) count += worker.idle.size();
  }
  return count;
}

}  // namespace gray::proxy
