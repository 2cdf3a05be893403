#pragma once
// Detects whether the kernel killed a process because memory was exhausted: a SIGKILL that no process sent. It reads
// the most specific counter for the worker that this machine has.
#include <cstdint>
#include <string>

#include "config/base/restored.hpp"

namespace gray::supervisor {

class OomKills {
 public:
  /// Counts from now on. `cgroup` is that of the worker, empty if it has none of its own. In order: its memory.events;
  /// those of the master's cgroup v2; memory.oom_control of the master's cgroup v1; /proc/vmstat, for the whole host.
  /// All but the first also count other processes: to be asked only after a SIGKILL that was not ours.
  static OomKills since_now(const std::string& cgroup);

  bool any() const;
  const std::string& source() const { return file_; }

  explicit OomKills(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("file", file_);
    io("before", before_);
  }

 private:
  explicit OomKills(std::string file);

  std::string file_;  // empty: there is no counter
  std::uint64_t before_ = 0;
};

/// The number behind "oom_kill" in the text of one of these files; 0 if it is not there.
std::uint64_t oom_kill_count(const std::string& text);
/// Where the cgroup v1 hierarchy with the memory controller is mounted, from the text of /proc/self/mountinfo, and the
/// path of a process there, from that of /proc/PID/cgroup; empty without one.
std::string cgroup1_memory_path(const std::string& mountinfo, const std::string& proc_cgroup);

}  // namespace gray::supervisor
