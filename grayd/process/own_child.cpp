#include "grayd/process/own_child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "config/base/pidfd.hpp"
#include "grayd/process/inherited_signals.hpp"
#include "grayd/process/privileges.hpp"

namespace gray::master {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

using Moves = std::vector<std::pair<UniqueFd, int>>;

/// The sources are above every target, so that no dup2 overwrites a source.
Moves moves_of(const std::vector<std::pair<int, int>>& fds, int end, const std::string& what) {
  Moves moves;
  for (const auto& [source, target] : fds) {
    moves.emplace_back(::fcntl(source, F_DUPFD_CLOEXEC, end), target);
    if (!moves.back().first) fail(what);
  }
  return moves;
}

[[noreturn]] void become(const char* program, char* const* argv, const Moves& moves, int end) {
  ::setpgid(0, 0);
  bound_to_own_capabilities();
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const auto& [source, target] : moves) {
    if (::dup2(source.get(), target) < 0) ::_exit(126);
  }
  ::close_range(static_cast<unsigned>(end), ~0u, 0);
  ::execv(program, argv);
  ::_exit(127);
}

}  // namespace

OwnChild start_own_child(const std::string& program, std::vector<std::string> arguments,
                         const std::vector<std::pair<int, int>>& fds, const std::string& what) {
  int end = STDERR_FILENO + 1;
  for (const auto& [source, target] : fds) end = std::max(end, target + 1);
  const auto moves = moves_of(fds, end, what);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const SignalsHeld held;
  const pid_t pid = ::fork();
  if (pid < 0) fail(what);
  if (pid == 0) become(program.c_str(), argv.data(), moves, end);
  UniqueFd pidfd(::pidfd_open(pid, 0));
  if (!pidfd) {
    const int cause = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    errno = cause;
    fail(what);
  }
  return {pid, std::move(pidfd)};
}

UniqueFd inherited_fd(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

}  // namespace gray::master
