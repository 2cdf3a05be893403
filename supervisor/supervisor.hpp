#pragma once
// The shell around the worker machines: turns exits, channels, probes and timers into events, and executes the
// machines' actions. It runs on one thread, the master's main thread. Only this thread may fork, because PDEATHSIG is
// tied to the forking thread.
//
// It makes the process a child subreaper, and waits for its own workers and for their orphans. It distinguishes orphans
// from other children of the process by their session: all other children of the master must stay in the master's
// session.
#include <sys/types.h>

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/peer_owner.hpp"
#include "config/base/restored.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/version_view.hpp"
#include "config/shared/worker_output.hpp"
#include "supervisor/process/output.hpp"

namespace gray {

class Save;  // config/base/archive.hpp
class Load;

}  // namespace gray

namespace gray::supervisor {

/// The interface to the rest of the master. Called on the main thread; must not call back synchronously, except for
/// const functions.
class Host {
 public:
  virtual ~Host() = default;
  /// States or the set of routable workers changed: a new table must be published soon.
  virtual void workers_changed() = 0;
  /// Asks the newest ready router to probe `address`, where a process of `owner` must listen; answered later by
  /// Supervisor::probed(id, ...). False: no router can probe now, and deadlines that depend on probes are paused.
  virtual bool probe(std::uint64_t id, std::uint32_t cell, const Address& address, uid_t owner, const HttpProbe& http,
                     Duration timeout) = 0;
  /// A cell of the shared segment for a new worker process; nothing if all are taken.
  virtual std::optional<std::uint32_t> take_cell() = 0;
  virtual void give_cell(std::uint32_t cell) = 0;
  /// Open sockets of all routers to the worker of this cell: a draining worker is stopped when it is 0.
  virtual std::uint32_t open_sockets(std::uint32_t cell) const = 0;
  /// Whether every router uses a table that no longer contains this cell. Until then an idle worker is not unused: the
  /// next request may be on its way to it.
  virtual bool withdrawn(std::uint32_t cell) const {
    (void)cell;
    return true;
  }
  /// Process groups that must not outlive the master.
  virtual void group_started(pid_t pgid) = 0;
  virtual void group_gone(pid_t pgid) = 0;
  /// Whether the version carries traffic now (stable, or weight above 0): such a version never gives up restarting.
  virtual bool carries_traffic(const std::string& service, const std::string& version) const = 0;
  /// The users, besides grayd's own, of the processes that connect to workers.
  virtual std::vector<uid_t> router_users() const { return {}; }
  /// An event for operators.
  virtual void emit(EventRecord event) { (void)event; }
  /// New worker output: Supervisor::outputs() may return more lines.
  virtual void output_kept() {}
};

class Supervisor {
 public:
  static constexpr std::size_t kRetired = 4;  // ended workers of a version whose output is kept

  /// `instance` is put into every worker's GRAY_INSTANCE; the next start sweeps by it. `state_dir` is the last place
  /// that is tried for workers' sockets; empty: none.
  Supervisor(asio::io_context& io, Host& host, std::string instance, std::string state_dir = {});
  /// In a resumed process: empty until archive(Load&).
  Supervisor(asio::io_context& io, Host& host, Restored);
  /// Kills every worker at once. A resumed supervisor does so only after its first turn of the loop; before, it kills
  /// no process and closes no descriptor, because after a failed handover they belong to the previous image.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Writes its complete state between two handlers of the loop; changes nothing. Not after stop_all().
  void archive(Save& to);
  /// Reads that state and continues from it; only once and before the loop runs. Does not call the host, which has read
  /// the workers' groups and cells itself. Probes in flight are dropped. Throws if the state is not valid.
  void archive(Load& from);

  /// Starts a version, or changes an existing one: the number of instances at once, the command by a rolling restart
  /// (new worker first and healthy, then the old one drains), the rest from the next start on.
  void apply(const std::string& service, const VersionSettings& settings);
  /// Replaces every worker of a version, one after the other, with unchanged settings; the number of the replacement,
  /// 0 if there is nothing to replace.
  unsigned restart(const std::string& service, const std::string& version);
  /// Drains and stops a version; apply() starts it again.
  void drain(const std::string& service, const std::string& version);
  /// The same without waiting for requests in flight: a worker is stopped once no router chooses it.
  void stop(const std::string& service, const std::string& version);
  /// Drains and stops a version, then removes it.
  void remove(const std::string& service, const std::string& version);
  /// The answer to Host::probe(); `peer`: the process behind the address, if the router knows it.
  void probed(std::uint64_t id, bool ok, const std::string& detail, const std::optional<PeerOwner>& peer = {});
  /// A router that wanted to pass on a request found a process of a different user at the address of the worker with
  /// this generation.
  void met_stranger(std::uint64_t generation, const PeerOwner& found);
  /// Sockets to draining workers were closed, or routers withdrew workers: Host::open_sockets() and Host::withdrawn()
  /// may return different values.
  void sockets_closed();
  /// The first router became able to probe, or the last one ended.
  void probing_possible(bool possible);
  /// Host::router_users() has one more, whose router will connect to workers.
  void admit_routers();
  /// Stops every worker (no drain, because no router is left) and calls `done` when no process is left.
  void stop_all(std::function<void()> done);

  /// Makes no system call, because it is called for every routing table.
  std::vector<VersionView> view() const;
  /// The last lines (at most 100 of at most 4096 bytes) that a worker, "web@v1#0", wrote to stdout and stderr.
  std::vector<std::string> output(const std::string& worker_id) const;
  /// Resident bytes of a worker by its first process, with all its processes: see WorkerMemory.
  std::uint64_t resident_bytes(pid_t leader) const;
  /// The memory of its group, likewise.
  std::uint64_t memory_bytes(pid_t leader) const;
  /// The output of all workers after the line with number `sequence`, ended workers first.
  std::vector<WorkerOutput> outputs(std::uint64_t sequence = 0) const;
  /// The cgroup that all workers live in, for the guard; empty if there is none.
  const std::string& cgroup_path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Kills processes that an earlier grayd with this instance name left behind, found by GRAY_INSTANCE in
/// /proc/PID/environ; returns how many. Only under the lock of the state folder.
int sweep_leftovers(const std::string& instance);

}  // namespace gray::supervisor
