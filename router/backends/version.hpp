#pragma once
// A version as one router thread sees it: its workers, the requests that wait for one, and the choice of a worker.
//
// The choice, in this order: the worker that the user's affinity prefers; the least loaded one, where a worker in its
// slow start takes part only as often as its share says; the least loaded one of all; and at last, instead of none, the
// avoided and the suspect ones too. Each only if it has a socket to give. With `only_preferred`, no worker but the
// preferred one is taken, unless that one is suspect (backends_affinity.cpp).
#include <atomic>
#include <cstdint>
#include <list>
#include <string>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/policy/retry_budget.hpp"
#include "router/policy/slow_start.hpp"
#include "router/upstream/idle_pool.hpp"
#include "router/upstream/service_time.hpp"
#include "router/upstream/shedding.hpp"
#include "router/upstream/wait_queue.hpp"

namespace gray::proxy {

class Upstream;
class WorkerSeeker;
struct Version;

inline constexpr TimePoint kNever = TimePoint::max();

/// A worker process that was able at some time. The object stays while one of its sockets is open.
struct Worker {
  Worker() = default;
  explicit Worker(std::atomic<std::uint32_t>& idle_sockets) : idle(idle_sockets) {}

  Version* version = nullptr;
  std::uint32_t cell = 0;
  std::uint64_t generation = 0;
  std::string id;
  std::uint64_t slot_hash = 0;  // of the id, for affinity
  Address address;
  uid_t owner = 0;  // the user who must be behind the address
  upstream::IdlePool<Upstream> idle;
  std::uint32_t open = 0;       // sockets of this thread, the connecting ones included
  std::uint32_t in_flight = 0;  // exchanges of this thread
  std::uint32_t closing = 0;    // of the open ones: sockets whose unit is given back when they are closed
  std::uint32_t tunnels = 0;    // of the exchanges in flight: the upgraded ones, which do not count as load
  std::uint64_t last_turn = 0;  // when it was last chosen: equally loaded workers take turns
  bool able = false;            // in the current table
  policy::SlowStart start;      // since it is able
  policy::LostSockets losses;   // connections that it broke
  TimePoint suspect_until{};    // it refused or broke a connection: until then others are preferred
  TimePoint report_again{};     // until then a stranger at its address is not reported again
  TimePoint leave_at = kNever;  // it is draining: its tunnels end then
  upstream::WaitQueue<WorkerSeeker> awaiting;  // requests of users who stay on it
};

/// The requirements of an attempt on its socket.
struct Wish {
  std::uint64_t avoid = 0;      // generation of a worker that is chosen only if there is no other
  bool fresh = false;           // a new connection, because an idle one was stale
  std::uint64_t affinity = 0;   // of the user; 0: none
  bool tunnel = false;          // it asks for an upgrade: a unit of the tunnels is needed too
  bool spare = false;           // with `fresh`: no idle socket is closed for it
  bool only_preferred = false;  // with `affinity`: only the worker of the user
};

struct Version {
  std::uint32_t row = 0;
  Limits limits;
  Duration drain_timeout{0};
  std::atomic<std::uint32_t>* idle_sockets = nullptr;  // of this thread, for the other threads; none in tests
  std::list<Worker> workers;
  upstream::WaitQueue<WorkerSeeker> queue;
  upstream::WaitQueue<WorkerSeeker> slow_queue;  // of slow clients: served when `queue` is empty
  bool unsorted = false;                         // `queue` may have requests of a client that was cut
  upstream::WaitQueue<WorkerSeeker> expecting;   // each waits for the unit of a socket that is being closed
  bool affinity = false;                         // its users stay on one worker
  bool withdrawn = false;                        // its users were taken away
  std::size_t awaiting = 0;                      // requests in Worker::awaiting, of all its workers
  upstream::ServiceTime service_time;
  policy::RetryBudget retries;
  std::uint64_t turns = 0;  // workers chosen so far
  std::uint32_t turn = 0;   // alternates between a worker's waiters of this thread and of others
  upstream::Shedding shedding;
  TimePoint warm_at{};  // when the last worker ends its slow start

  bool up() const;
  /// Whether requests of this thread wait.
  bool waiting() const { return waiters() > 0; }
  std::size_t waiters() const { return queue.size() + slow_queue.size() + awaiting; }
  std::size_t socket_limit() const;  // sockets that its able workers may have in all
  /// Likewise, of those that are chosen at `now`: a suspect worker only if there is no other.
  std::size_t sockets_in_use(TimePoint now) const;
  std::size_t able() const;
  std::size_t closing() const;  // sockets of its able workers that are being closed
  /// Whether one of its able workers has a socket to give.
  bool has_room(const segment::Layout& layout) const;
  bool has_room(const Worker& worker, const segment::Layout& layout, const Wish& wish) const;
  /// The worker on which the user of `wish` stays, whether or not it has room; null: there is none that is trusted.
  Worker* preferred(const Wish& wish, TimePoint now);
  Worker* find(std::uint32_t cell, std::uint64_t generation);

  /// Takes the able workers from the table. New workers are added at the end; one that is no longer able stays until
  /// the caller has closed its sockets.
  void update(const std::vector<WorkerRoute>& routes, TimePoint now);
  /// Removes workers that are no longer able and not in use.
  void forget_gone();
  /// The worker for one attempt; null: no able one has a socket to give. `layout` holds the counts of the limits.
  Worker* choose(const Wish& wish, const segment::Layout& layout, TimePoint now);

 private:
  enum class Standard : std::uint8_t { best, trusted, any };
  Worker* least_loaded(const Wish& wish, const segment::Layout& layout, TimePoint now, Standard standard);
  void join(Worker& worker, TimePoint now);
  void settle_starts(TimePoint now);
};

}  // namespace gray::proxy
