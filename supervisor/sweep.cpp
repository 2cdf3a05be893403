// What an earlier master of the same instance left behind: it was killed, and something outlived it.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <thread>

#include "config/time.hpp"
#include "config/unique_fd.hpp"
#include "supervisor/process_table.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::supervisor {
namespace {

constexpr Duration kSweepLimit{5'000};  // a process in uninterruptible sleep must not keep grayd from starting
constexpr Duration kSweepPause{10};

// The pidfd is opened before the second look, so the signal cannot reach another process with a reused pid.
bool kill_marked(pid_t pid, const std::string& mark) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return pidfd && has_variable(pid, mark) && ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) == 0;
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
      if (!kill_marked(process.pid, mark)) continue;
      found = true;
      killed.insert(process.pid);
    }
    if (!found) break;
    std::this_thread::sleep_for(kSweepPause);
  }
  return static_cast<int>(killed.size());
}

}  // namespace gray::supervisor
