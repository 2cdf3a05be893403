#pragma once
// The workers as one router thread sees them: which are able, which sockets are idle, which requests wait. Gives
// sockets to exchanges and takes them back, under limits that hold exactly across threads and routers.
//
// Invariants
//  - A socket to a worker exists only while a unit of one of that worker's LimitWords is taken; the unit is given back
//    when the engine says that the socket is closed, never before, or moves with the socket to another thread. A
//    request that asks for an upgrade takes one of the tunnels beside it; at the worker's 101 the unit of the sockets
//    is given back.
//  - However an attempt ends, advance() follows when its socket is closed: a request never waits while a socket is
//    available. Waiting requests are notified: by this thread, by a neighbour, or over the segment's event by another
//    router; there is no polling. A seeker that needs a unit of a socket that is being closed waits for it in front of
//    the queue, and is never refused for the queue's length: `expecting` holds at most as many seekers as sockets are
//    being closed.
//  - A worker that left the table gets no new request; its idle sockets are closed at once, the busy ones after their
//    exchange.
// One thread; the threads of a router hand sockets to each other through Neighbours.
#include <functional>
#include <memory>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/backends/connection_owner.hpp"
#include "router/backends/slow_share.hpp"
#include "router/backends/thread_counters.hpp"
#include "router/backends/upstream.hpp"
#include "router/backends/version.hpp"
#include "router/backends/waiting_threads.hpp"
#include "router/backends/worker_side.hpp"
#include "router/backends/worker_tunnels.hpp"
#include "router/engine/engine.hpp"
#include "router/engine/object_store.hpp"
#include "router/stats/memory_tally.hpp"

namespace gray::proxy {

/// Needs a socket to a worker, and waits in a version's queue if none is available at once.
class WorkerSeeker : public upstream::Waiter<WorkerSeeker>, public WorkerEvents, public SlowRequest {
 public:
  virtual bool wants_tunnel() const = 0;
  /// It has held a socket before: this is a repeated attempt.
  virtual bool repeats() const = 0;
  /// Its turn in the queue has come: `side` is its socket.
  virtual void granted(WorkerSide& side) = 0;
  /// Its turn has come, but this process has no descriptor left for a socket.
  virtual void exhausted() = 0;
  /// It could not be served in time: it waits no more.
  virtual void shed() = 0;
  /// Its turn has come, but no worker has a tunnel left.
  virtual void exhausted_tunnels() = 0;
  /// Whether its client was cut as a slow one lately.
  virtual bool client_was_cut() const = 0;

  bool expects = false;      // waits in Version::expecting
  Worker* awaits = nullptr;  // waits in its Worker::awaiting

 protected:
  ~WorkerSeeker() = default;
};

/// Requests of one thread to the others of its router. Calls are posted and return at once.
class Neighbours {
 public:
  virtual ~Neighbours() = default;
  /// Gives a connected idle socket, and the limit unit that goes with it, to `thread`.
  virtual void hand_over(std::uint32_t thread, int fd, std::uint32_t row, std::uint32_t cell,
                         std::uint64_t generation) = 0;
  /// A limit unit of this version became free: `thread` has a waiter.
  virtual void wake(std::uint32_t thread, std::uint32_t row) = 0;
  /// Threads of this router, the caller included.
  virtual std::uint32_t threads() const = 0;
  /// A waiter of `from` needs a socket of this version: `thread` hands an idle one over.
  virtual void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row) = 0;
  /// Likewise, of this worker.
  virtual void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row, std::uint32_t cell,
                   std::uint64_t generation) = 0;
  /// A limit unit became free, and only threads of other routers wait for it.
  virtual void wake_routers() = 0;
  /// A process of a different user listens at the address of a worker.
  virtual void met_stranger(std::uint32_t cell, std::uint64_t generation, const PeerOwner& found) = 0;
  /// A peer from nearby that is not trusted sends fields of a proxy.
  virtual void met_untrusted_proxy(const Address& peer) = 0;
  /// The last socket of this thread to a worker that left the table was closed, and its unit given back.
  virtual void worker_unused() = 0;
};

class Backends final : private ConnectionOwner {
 public:
  using MakeUpstream = std::function<std::unique_ptr<Upstream>(ConnectionOwner&)>;

  /// `surplus` is called when has_surplus() becomes true: trim() is to be called until it is false.
  Backends(engine::Engine& engine, segment::Layout& layout, ShardId shard_id, Neighbours& neighbours,
           MakeUpstream make_upstream, std::function<void()> surplus = {});
  ~Backends();

  void apply(const RoutingTable& table);
  /// Frees connection objects that a peak has needed. The bytes.
  std::size_t trim() { return upstreams_.trim() * sizeof(Upstream); }
  bool has_surplus() const { return upstreams_.has_surplus(); }
  Version& version(std::uint32_t row) { return versions_[row]; }
  ThreadCounters& counters() { return counters_; }

  /// A socket for `seeker`: an idle one, or one that is being opened (see WorkerSide::connecting). Null: none is
  /// available.
  WorkerSide* acquire(Version& version, WorkerSeeker& seeker, const Wish& wish);
  /// Queues the seeker and asks the neighbours for a socket. Reason::none, or why it is refused.
  segment::Reason enqueue(Version& version, WorkerSeeker& seeker);
  void leave_queue(Version& version, WorkerSeeker& seeker);
  /// It has waited long enough for the worker of its user: a socket to another one. Null: there is none, and it waits
  /// no more.
  WorkerSide* spill(Version& version, WorkerSeeker& seeker);
  /// The client of a request that holds a socket moves `rate` bytes per second, which is slow. May cut requests of slow
  /// clients, this one included.
  void slow_client(Version& version, WorkerSeeker& seeker, std::uint64_t rate);
  SlowShare& slow_share() { return slow_share_; }
  /// A client of this version was cut: its requests that wait become slow ones, in a later turn of the loop.
  void client_cut(Version& version);

  void met_untrusted_proxy(const Address& peer) { neighbours_.met_untrusted_proxy(peer); }
  /// Whether an able worker has a tunnel to give.
  bool has_tunnel(const Version& version) const { return tunnels_.any_left(version); }
  /// Serves waiters while sockets are available.
  void advance(Version& version);
  /// Notified by another router: units may have become free.
  void serve_waiters();
  /// From a neighbour: a socket of its own, or a request for one.
  void adopt(int fd, std::uint32_t row, std::uint32_t cell, std::uint64_t generation);
  void offer(std::uint32_t to, std::uint32_t row);
  void offer(std::uint32_t to, std::uint32_t row, std::uint32_t cell, std::uint64_t generation);

  /// This router is draining: idle sockets are closed, now and from now on.
  void drain();
  /// The time of the drain is over: sockets that still send or linger are closed.
  void cut_short();
  std::size_t idle_sockets() const;

  /// For reports: adds what is held by connections that no exchange uses. Looks at `count` of the objects, from the one
  /// at `from` on; returns how many there were.
  std::size_t look(std::size_t from, std::size_t count, bool with_kernel, stats::MemoryTally& tally) const;
  std::size_t own_memory() const;

 private:
  void keep(Upstream& upstream);

  // ConnectionOwner
  void release(Upstream& upstream) override;
  void discard(Upstream& upstream, bool suspect) override;
  void met_stranger(Upstream& upstream, const PeerOwner& found) override;
  void closed(Upstream& upstream) override;
  void released(Upstream& upstream, int fd) override;
  void opened_tunnel(Upstream& upstream) override;
  void leave(Upstream& upstream, Duration within) override;

  /// A socket for one exchange, or the right to open one.
  struct Lease {
    Upstream* idle = nullptr;
    Worker* dial = nullptr;  // a unit of its socket limit is taken
    bool tunnel = false;     // a unit of its tunnel limit is taken
    explicit operator bool() const { return idle != nullptr || dial != nullptr; }
  };
  Lease take(Version& version, const Wish& wish);
  Lease take_from(Worker& worker);
  Upstream* serve(const Lease& lease, WorkerSeeker& seeker);
  WorkerSide* acquire_of_user(Version& version, WorkerSeeker& seeker, Wish wish);
  bool await_worker(Version& version, WorkerSeeker& seeker, Worker& worker, const Wish& wish);
  void stop_awaiting(Version& version, WorkerSeeker& seeker);
  void serve_awaiting(Version& version);
  void serve_awaiting(Version& version, Worker& worker);
  void requeue_awaiting(Version& version, Worker& worker);
  bool awaited_elsewhere(const Worker& worker) const;
  void wake_awaiting(Worker& worker);
  void lease_to(Version& version, WorkerSeeker& seeker, Lease lease);
  void serve_expecting(Version& version);
  void wait_in_queue(Version& version, WorkerSeeker& seeker);
  bool serve_queue(Version& version, upstream::WaitQueue<WorkerSeeker>& queue);
  void make_room(const Version& version, Waiting kind);
  void sort_queue(Version& version);
  upstream::QueueLoad queue_load(const Version& version) const;
  void drop_hopeless(Version& version);
  void publish_oldest(const Version& version);
  bool is_turn_of_others(const Worker& worker) const;
  bool close_stale(Worker& worker);
  void withdraw(Version& version);
  void retire(Worker& worker);
  void apply(Version& version, const VersionRoute* route);
  bool join_tunnel(Version& version, Lease& lease);
  void end_tunnels(TimePoint now);
  void give_back(const Lease& lease);
  void left_queue(Version& version, const WorkerSeeker& seeker);
  void serve_waiters_at(TimePoint time);
  void serve_when_trusted(const Version& version);
  bool take_place(const Version& version, const WorkerSeeker& seeker, std::uint32_t excess);
  bool wanted_elsewhere(const Version& version) const;
  int next_waiting(const Worker& worker) const;
  int next_waiting(const Version& version) const;
  /// The other threads of this router that may have a socket to give: they have an idle one, or they may have a slow
  /// client that loses its socket. A thread that gets an idle one later finds the announcement: see keep().
  template <typename Visit>
  void for_each_giver(const Version& version, Visit visit) const {
    const bool any_slow = layout_.versions[version.row].slow.total() > 0;
    for (std::uint32_t thread = 0; thread < neighbours_.threads(); ++thread) {
      const auto& idle = layout_.rows[shard_id_.router_slot][thread][version.row].idle;
      if (thread != shard_id_.thread && (any_slow || idle.load() > 0)) visit(thread);
    }
  }
  void wake_others(const Version& version);
  void wake_all(const Version& version);
  void give_to_neighbour(Upstream& upstream);
  bool give_idle(Version& version);
  void recycle(Upstream& upstream);
  void expire_idle(TimePoint now);
  void look(const Upstream& upstream, bool with_kernel, stats::MemoryTally& tally) const;
  segment::WorkerCell& cell_of(const Worker& worker) const { return layout_.workers[worker.cell]; }

  engine::Engine& engine_;
  segment::Layout& layout_;
  ShardId shard_id_;
  Neighbours& neighbours_;
  ThreadCounters counters_;
  WaitingThreads waiting_;
  SlowShare slow_share_;
  std::vector<Version> versions_;
  MakeUpstream make_upstream_;
  engine::ObjectStore<Upstream> upstreams_;
  bool draining_ = false;
  WorkerTunnels tunnels_;
  engine::Timer expiry_;
  engine::Timer serve_timer_;  // serves waiters again: a worker is no longer suspect, or got room meanwhile
};

}  // namespace gray::proxy
