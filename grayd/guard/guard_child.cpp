#include "grayd/guard/guard_child.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <set>

#include "config/base/log.hpp"
#include "grayd/process/own_child.hpp"
#include "grayd/process/privileges.hpp"
#include "grayd/process/system_calls.hpp"

namespace gray::master {
namespace {

/// Only the end of the pipe ends it: a signal to a group of processes must not.
void ignore_signals_as_guard() {
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) ::signal(signal, SIG_IGN);
}

/// Returns the groups that are left at the end of the pipe. Writes of whole numbers are atomic, so reads are, too.
std::set<pid_t> read_groups(int pipe) {
  std::set<pid_t> groups;
  std::array<pid_t, 256> numbers;
  while (true) {
    const ssize_t got = ::read(pipe, numbers.data(), sizeof numbers);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return groups;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got) / sizeof(pid_t); ++i) {
      if (numbers[i] > 0)
        groups.insert(numbers[i]);
      else
        groups.erase(-numbers[i]);
    }
  }
}

}  // namespace

int run_guard(const GuardArguments& arguments) {
  ignore_signals_as_guard();
  const UniqueFd pipe = inherited_fd(arguments.groups);
  const std::string kill_file = arguments.cgroup + "/cgroup.kill";
  const UniqueFd cgroup(arguments.cgroup.empty() ? -1 : ::open(kill_file.c_str(), O_WRONLY | O_CLOEXEC));
  if (const auto why = drop_privileges(std::nullopt, capability(CAP_KILL)); !why.empty())
    log(LogLevel::error, "guard: " + why);
  if (const auto why = limit_system_calls(ProcessKind::guard); !why.empty()) log(LogLevel::warn, "guard: " + why);
  for (const pid_t group : read_groups(pipe.get())) {
    if (group > 1) ::kill(-group, SIGKILL);
  }
  if (cgroup) (void)!::write(cgroup.get(), "1", 1);
  return 0;
}

}  // namespace gray::master
