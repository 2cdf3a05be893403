#include "supervisor/spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gray::supervisor {
namespace {

constexpr int kAboveTargets = 16;  // sources are moved here, so that no dup2 in the child overwrites one

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& s : strings) result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

// The plan as raw pointers: all that the child touches.
struct Prepared {
  std::vector<char*> candidates, argv, environment;
  const char* cwd = nullptr;
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  int cgroup_procs = -1;
  UniqueFd errors_in, errors_out;
  pid_t master = 0;
};

bool prepare(const SpawnPlan& plan, Prepared& prepared) {
  prepared.candidates = pointers(plan.candidates);
  prepared.argv = pointers(plan.argv);
  prepared.environment = pointers(plan.environment);
  prepared.cwd = plan.cwd.empty() ? nullptr : plan.cwd.c_str();
  prepared.master = ::getpid();
  prepared.cgroup_procs = plan.cgroup_procs;
  for (const int fd : plan.fds) {
    prepared.owned.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, kAboveTargets));
    if (!prepared.owned.back()) return false;
    prepared.fds.push_back(prepared.owned.back().get());
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  prepared.errors_in.reset(ends[0]);
  UniqueFd low(ends[1]);
  prepared.errors_out.reset(::fcntl(low.get(), F_DUPFD_CLOEXEC, kAboveTargets));
  return prepared.errors_out && ::fcntl(prepared.errors_in.get(), F_SETFL, O_NONBLOCK) == 0;
}

[[noreturn]] void fail(int errors, SpawnError::Stage stage, int error) {
  const SpawnError report{stage, error};
  (void)!::write(errors, &report, sizeof report);
  ::_exit(127);
}

void default_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
}

// As execvp(3) searches: a file that may not be run is remembered, but a later one that runs wins.
int run_program(const Prepared& prepared) {
  int result = ENOENT;
  for (char* const* path = prepared.candidates.data(); *path; ++path) {
    ::execve(*path, prepared.argv.data(), prepared.environment.data());
    if (errno == EACCES || prepared.candidates.size() == 2)
      result = errno;
    else if (errno != ENOENT && errno != ENOTDIR)
      return errno;
  }
  return result;
}

[[noreturn]] void child(const Prepared& prepared) {
  const int errors = prepared.errors_out.get();
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.master) ::_exit(127);  // the master died before the line above
  if (prepared.cgroup_procs >= 0 && ::write(prepared.cgroup_procs, "0", 1) != 1)
    fail(errors, SpawnError::Stage::cgroup, errno);
  default_signals();
  if (prepared.cwd && ::chdir(prepared.cwd) != 0) fail(errors, SpawnError::Stage::cwd, errno);
  const int count = static_cast<int>(prepared.fds.size());
  for (int fd = 0; fd < count; ++fd)
    if (::dup2(prepared.fds[static_cast<std::size_t>(fd)], fd) < 0) fail(errors, SpawnError::Stage::exec, errno);
  ::close_range(static_cast<unsigned>(count), ~0u, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  fail(errors, SpawnError::Stage::exec, run_program(prepared));
}

}  // namespace

// Signals are blocked across the fork: a handler of the master that ran in the child would write into the master's own
// pipes.
std::optional<Spawned> spawn(const SpawnPlan& plan, int& error) {
  Prepared prepared;
  if (!prepare(plan, prepared)) {
    error = errno;
    return std::nullopt;
  }
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) child(prepared);
  error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return std::nullopt;
  Spawned spawned{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(prepared.errors_in)};
  if (spawned.pidfd) return spawned;
  error = errno;  // without a pidfd nobody would notice its end
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return std::nullopt;
}

SpawnProgress read_spawn_error(int errors, SpawnError& result) {
  const ssize_t got = ::read(errors, &result, sizeof result);
  if (got == static_cast<ssize_t>(sizeof result)) return SpawnProgress::failed;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? SpawnProgress::again : SpawnProgress::executed;
}

std::string describe(const SpawnError& error, const SpawnPlan& plan) {
  const std::string reason = std::strerror(error.error);
  if (error.stage == SpawnError::Stage::cgroup) return "cannot join its cgroup: " + reason;
  if (error.stage == SpawnError::Stage::cwd)
    return "cannot enter the working directory \"" + plan.cwd + "\": " + reason + "; check cwd";
  const std::string& program = plan.argv.front();
  if (plan.candidates.size() > 1)
    return "cannot run \"" + program + "\" from the PATH: " + reason + "; check command and the worker's PATH";
  if (error.error == ENOEXEC)
    return "cannot run \"" + program + "\": " + reason + "; a script needs a first line like #!/bin/sh";
  return "cannot run \"" + program + "\" (cwd " + plan.cwd + "): " + reason +
         "; check the file, its mode and its interpreter";
}

}  // namespace gray::supervisor
