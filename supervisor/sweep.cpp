// Kills processes that an earlier master of the same instance left behind after it was killed.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <set>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "supervisor/kernel/process_table.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::supervisor {
namespace {

constexpr Duration kSweepLimit{5'000};  // a process in uninterruptible sleep must not keep grayd from starting

// The pidfd is opened before the second check, so the signal cannot reach a different process with a reused pid. Empty
// if there was nothing to kill.
UniqueFd kill_marked(pid_t pid, const std::string& mark) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd || !has_variable(pid, mark)) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) != 0) return {};
  return pidfd;
}

// Waits until the process is dead: then it can no longer fork, and the next scan does not find it.
void await_end(const UniqueFd& pidfd, TimePoint limit) {
  pollfd watched{pidfd.get(), POLLIN, 0};
  const auto left = std::chrono::duration_cast<Duration>(limit - Clock::now());
  if (left.count() > 0) (void)::poll(&watched, 1, static_cast<int>(left.count()));
}

}  // namespace

int sweep_leftovers(const std::string& instance) {
  const std::string mark = "GRAY_INSTANCE=" + instance;
  std::set<pid_t> killed;
  const TimePoint limit = Clock::now() + kSweepLimit;
  while (Clock::now() < limit) {
    bool found = false;
    for (const ProcessInfo& process : all_processes()) {
      if (process.pid == ::getpid() || process.state == 'Z' || !has_variable(process.pid, mark)) continue;
      const UniqueFd pidfd = kill_marked(process.pid, mark);
      if (!pidfd) continue;
      found = true;
      await_end(pidfd, limit);
      killed.insert(process.pid);
    }
    if (!found) break;
  }
  return static_cast<int>(killed.size());
}

}  // namespace gray::supervisor
