#pragma once
// The shell around the worker machines: turns exits, channels, probes and timers into events, and carries their actions
// out. One thread, the master's main thread: it forks, so no other thread may (PDEATHSIG follows the thread that
// forked).
//
// It makes the process a child subreaper and waits for its own workers, and for orphans of theirs, which it tells from
// other children of the process by their session: whatever else the master forks must stay in the master's session.
#include <sys/types.h>

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/address.hpp"
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

/// What the supervisor needs from the rest of the master. Called on the main thread; must not call back synchronously,
/// except for the const questions.
class Host {
 public:
  virtual ~Host() = default;
  /// States or the set of routable workers changed; publish soon.
  virtual void workers_changed() = 0;
  /// Asks the newest ready router to probe; answered later by Supervisor::probed(id, ...). False: nobody can probe now,
  /// and deadlines that depend on probes stand still.
  virtual bool probe(std::uint64_t id, std::uint32_t cell, const Address& address, const std::string& path,
                     Duration timeout) = 0;
  /// A cell of the shared segment for a new worker process; nothing when all are taken.
  virtual std::optional<std::uint32_t> take_cell() = 0;
  virtual void give_cell(std::uint32_t cell) = 0;
  /// Open sockets of all routers to the worker of this cell: a draining worker is stopped when it is 0.
  virtual std::uint32_t open_sockets(std::uint32_t cell) const = 0;
  /// Whether every router routes by a table that no longer names this cell. Until then an idle worker is not unused:
  /// the next request may be on its way to it.
  virtual bool withdrawn(std::uint32_t cell) const {
    (void)cell;
    return true;
  }
  /// Process groups that must not outlive the master.
  virtual void group_started(pid_t pgid) = 0;
  virtual void group_gone(pid_t pgid) = 0;
  /// Whether the version carries traffic now (stable, or weight above 0): such a version never gives up restarting.
  virtual bool carries_traffic(const std::string& service, const std::string& version) const = 0;
  /// Something that an operator wants to read about.
  virtual void emit(EventRecord event) { (void)event; }
  /// Workers wrote something: Supervisor::outputs() may have lines more.
  virtual void output_kept() {}
};

class Supervisor {
 public:
  static constexpr std::size_t kRetired = 4;  // workers of a version that are gone and whose output is kept

  /// `instance` is put into every worker's GRAY_INSTANCE; the next start sweeps by it.
  Supervisor(asio::io_context& io, Host& host, std::string instance);
  /// Of a process that goes on after an exec: empty until archive(Load&).
  Supervisor(asio::io_context& io, Host& host, Restored);
  /// Ends every worker at once. One that was resumed does so from its first turn of the loop on; before, it only lets
  /// go of what it knows, and closes no descriptor and kills nothing: all that belongs to whoever takes over instead.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// All that it knows and waits for, as it is between two handlers of the loop; changes nothing. Not after stop_all().
  void archive(Save& to);
  /// Goes on with it, exactly there; only once and before the loop runs. Does not call the host: groups and cells of
  /// the workers are known to it already. Probes in flight are forgotten. Throws on anything that cannot be true.
  void archive(Load& from);

  /// Starts a version, or changes one that is there: other instances at once, another command by a rolling restart
  /// (new worker first and healthy, then the old one drains), the rest from the next start on.
  void apply(const std::string& service, const VersionSettings& settings);
  /// Replaces every worker of a version, one after the other, with the settings it has; the number of the replacement,
  /// 0 if there is nothing to replace.
  unsigned restart(const std::string& service, const std::string& version);
  /// Drains and stops a version; apply() starts it again.
  void drain(const std::string& service, const std::string& version);
  /// The same without waiting for requests in flight: a worker is stopped once no router chooses it.
  void stop(const std::string& service, const std::string& version);
  /// Drains and stops a version, then forgets it.
  void remove(const std::string& service, const std::string& version);
  /// The answer to Host::probe().
  void probed(std::uint64_t id, bool ok, const std::string& detail);
  /// Sockets to draining workers were closed, or routers withdrew them: Host::open_sockets() and Host::withdrawn() may
  /// answer differently.
  void sockets_closed();
  /// A router became able to probe, or the last one went away.
  void probing_possible(bool possible);
  /// Stops every worker (no drain: nothing routes any more) and calls `done` when no process is left.
  void stop_all(std::function<void()> done);

  /// Asks nothing of the kernel: it is called for every routing table.
  std::vector<VersionView> view() const;
  /// The last lines (at most 100 of at most 4096 bytes) that a worker, "web@v1#0", wrote to stdout and stderr.
  std::vector<std::string> output(const std::string& worker_id) const;
  /// What all workers wrote after the line with number `sequence`, those that are gone first.
  std::vector<WorkerOutput> outputs(std::uint64_t sequence = 0) const;
  /// The cgroup that all workers live in, for kill_worker_cgroup(); empty if there is none.
  const std::string& cgroup_path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Kills what an earlier grayd with this instance name left behind, by GRAY_INSTANCE in /proc/PID/environ; returns how
/// many. Only under the lock of the state folder.
int sweep_leftovers(const std::string& instance);

}  // namespace gray::supervisor
