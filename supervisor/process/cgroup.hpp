#pragma once
// A cgroup v2 subtree of the master, with one child cgroup for each worker. Processes that a worker forks stay in its
// cgroup, so killing the cgroup leaves no process behind, and it is known for certain when it is empty. No controllers
// are needed.
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::supervisor {

/// Where cgroup2 is mounted (also beside v1, as /sys/fs/cgroup/unified), from the text of /proc/self/mountinfo.
std::optional<std::string> cgroup2_mount(const std::string& mountinfo);
/// The path of a process below that mount, from the text of /proc/PID/cgroup.
std::optional<std::string> cgroup2_path(const std::string& proc_cgroup);

/// Bytes of memory that the kernel cannot take back by dropping the cache of files, from the texts of memory.current
/// and memory.stat; nothing if they are not understood.
std::optional<std::uint64_t> cgroup_memory(const std::string& current, const std::string& stat);

class Cgroup {
 public:
  /// Creates the folder; nothing if that is not possible.
  static std::optional<Cgroup> make(std::string path);
  Cgroup(Cgroup&& other) noexcept = default;
  Cgroup& operator=(Cgroup&& other) noexcept = default;

  const std::string& path() const { return path_; }
  /// The file that a joining process writes to; invalid if that is not allowed.
  UniqueFd open_procs() const;
  void kill() const;
  bool populated() const;
  /// Without members of cgroups that a worker created below its own.
  std::vector<pid_t> members() const;
  /// Including those.
  std::vector<pid_t> all_members() const;
  /// See cgroup_memory(); nothing without a memory controller.
  std::optional<std::uint64_t> memory() const;
  /// Removes it and all cgroups below, as far as they are empty.
  void remove() const;

  explicit Cgroup(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("path", path_);
  }

 private:
  explicit Cgroup(std::string path) : path_(std::move(path)) {}
  std::vector<Cgroup> children() const;
  std::string path_;
};

/// The subtree "grayd-PID" below the master's own cgroup. Without cgroup v2, or without the right to write there, it
/// hands out nothing, and workers are identified only by their session.
class CgroupTree {
 public:
  CgroupTree();
  ~CgroupTree();
  CgroupTree(const CgroupTree&) = delete;
  CgroupTree& operator=(const CgroupTree&) = delete;

  std::optional<Cgroup> child(const std::string& name);
  /// Hands out nothing from now on, because joining is not allowed.
  void give_up() { usable_ = false; }
  /// Empty if there is none.
  const std::string& path() const { return path_; }

  explicit CgroupTree(Restored) {}
  /// For config/base/archive.hpp. The name of the subtree stays true: an exec keeps the pid.
  template <class Io>
  void archive(Io& io) {
    io("path", path_);
    io("usable", usable_);
  }

 private:
  std::string path_;
  bool usable_ = false;
};

}  // namespace gray::supervisor
