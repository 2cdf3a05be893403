#pragma once
// A process that sleeps in a group of its own until it is killed, like a worker.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/unique_fd.hpp"

namespace gray::test {

inline bool ended_in_time(pid_t pid, int& status) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd end{pidfd.get(), POLLIN, 0};
  const bool in_time = ::poll(&end, 1, 20'000) == 1;
  if (!in_time) ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return in_time;
}

class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      ::setpgid(0, 0);
      for (;;) ::pause();
    }
    ::setpgid(pid_, pid_);
  }
  ~Sleeper() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  pid_t pid() const { return pid_; }
  bool runs() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  bool was_killed() {
    int status = 0;
    const bool ended = ended_in_time(pid_, status);
    pid_ = 0;
    return ended && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  pid_t pid_;
};

}  // namespace gray::test
