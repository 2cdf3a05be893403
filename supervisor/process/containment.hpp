#pragma once
// Everything that one worker process has become: the leader, what it forked, and what that left behind. With a cgroup
// that is exact; without one it is the leader's session, and whoever left it but still carries the worker's generation
// in its environment. A zombie is nobody.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/process/cgroup.hpp"

namespace gray::supervisor {

class Containment {
 public:
  /// `instance` and `generation` as in the worker's environment. The leader must not be reaped before the last signal()
  /// or kill().
  Containment(pid_t leader, std::optional<Cgroup> cgroup, const std::string& instance, std::uint64_t generation);

  pid_t leader() const { return leader_; }
  /// To the process group, followed by SIGCONT: a stopped worker would not hear it.
  void signal(int signal) const;
  void kill() const;
  bool empty() const;
  std::vector<pid_t> members() const;
  /// The pidfd of one member: when it is readable, empty() may answer differently. Invalid if there is no member, or no
  /// descriptor left.
  UniqueFd watch_member() const;
  /// Removes the cgroup, when empty.
  void dissolve() const;

  explicit Containment(Restored) {}
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
};

}  // namespace gray::supervisor
