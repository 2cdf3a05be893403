#pragma once
// fork and exec of one worker. Everything is prepared before the fork; between fork and exec the child makes only
// async-signal-safe calls, because other threads of the master may hold any lock. An error before the program runs is
// reported through a close-on-exec pipe, which distinguishes it from a program that exits with 127.
//
// Without a change of user it is a vfork: the child uses the memory of the master, which waits until the program runs.
// A fork copies the page tables, and then every page that either of them writes to, which costs several milliseconds a
// worker. The master waits for as long as chdir and exec take, so a program on a file system that hangs holds it up.
//
// The child: own session and process group, dies with the master's thread (PDEATHSIG), default signal dispositions,
// empty signal mask, only the given descriptors open, the given user. The umask is inherited.
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "supervisor/process/credentials.hpp"

namespace gray::supervisor {

struct SpawnPlan {
  std::vector<std::string> candidates;  // paths of the program, tried in order
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string cwd;                  // empty: the master's
  std::vector<int> fds;             // fds[i] becomes descriptor i; -1: that one is closed; borrowed
  int cgroup_procs = -1;            // open for writing; -1: no cgroup
  bool listen_pid = false;          // set LISTEN_PID to the pid of the child, in the child
  std::optional<Credentials> user;  // none: the master's own

  /// For config/base/archive.hpp: the fields that describe() needs after the start.
  template <class Io>
  void archive(Io& io) {
    io("candidates", candidates);
    io("argv", argv);
    io.check("argv", !argv.empty());
    io("cwd", cwd);
    io("user", user);
  }
};

struct Spawned {
  pid_t pid = 0;  // also its process group and session
  UniqueFd pidfd;
  UniqueFd errors;  // read end, non-blocking: a SpawnError, or end of file once the program runs
};

/// The error of a child.
struct SpawnError {
  enum class Stage : int { cgroup, user, cwd, exec };
  Stage stage = Stage::exec;
  int error = 0;  // errno
};

/// Only from the one thread that lives as long as the master. Nothing: `error` is the errno, and the machine lacks a
/// resource.
std::optional<Spawned> spawn(const SpawnPlan& plan, int& error);

/// `again`: neither an error nor a running program yet.
enum class SpawnProgress { again, executed, failed };
SpawnProgress read_spawn_error(int errors, SpawnError& result);

/// One sentence with the failed step and what to check.
std::string describe(const SpawnError& error, const SpawnPlan& plan);

}  // namespace gray::supervisor
