#pragma once
// All processes of one worker: the leader, the processes that it forked, and their descendants. With a cgroup the set
// is exact. Without one it is the leader's session, and processes that left the session but have the worker's
// generation in their environment. Zombies do not count.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/kernel/process_scan.hpp"
#include "supervisor/process/cgroup.hpp"

namespace gray::supervisor {

class Containment {
 public:
  /// `instance` and `generation` as in the worker's environment. The leader must not be reaped before the last signal()
  /// or kill(). `scan` outlives it.
  Containment(pid_t leader, std::optional<Cgroup> cgroup, const std::string& instance, std::uint64_t generation,
              ProcessScan& scan);

  pid_t leader() const { return leader_; }
  bool has_cgroup() const { return cgroup_.has_value(); }
  /// See Cgroup; nothing without one.
  std::optional<std::uint64_t> memory() const { return cgroup_ ? cgroup_->memory() : std::nullopt; }
  /// To the process group, followed by SIGCONT, because a stopped worker does not handle signals.
  void signal(int signal) const;
  void kill() const;
  bool empty() const;
  std::vector<pid_t> members() const;
  /// Those in the process group, which signal() reaches, without a leader that has ended.
  std::vector<pid_t> group() const;
  /// Whether a process belongs to the worker: by session, by cgroup, or as a descendant of the leader. The environment
  /// does not count, because every process can write its own. False for one that was reaped already.
  bool contains(pid_t pid) const;
  /// Some processes at one moment.
  struct Rest {
    bool empty = true;
    UniqueFd watch;  // of one of them: when it is readable, ask again; invalid if no descriptor is free
  };
  Rest rest() const;
  /// The same of group().
  Rest rest_of_group() const;
  /// Removes the cgroup if it is empty.
  void dissolve() const;

  Containment(ProcessScan& scan, Restored) : scan_(&scan) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("leader", leader_);
    io("cgroup", cgroup_);
    io("instance", instance_);
    io("generation", generation_);
  }

 private:
  pid_t leader_ = 0;
  std::optional<Cgroup> cgroup_;
  std::string instance_, generation_;  // "NAME=value"
  ProcessScan* scan_;
};

}  // namespace gray::supervisor
