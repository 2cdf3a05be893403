#include "supervisor/process/spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace gray::supervisor {
namespace {

constexpr char kListenPid[] = "LISTEN_PID=";
constexpr std::size_t kPidDigits = 20;  // room for any

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& s : strings) result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

// The plan as raw pointers: the only data that the child uses.
struct Prepared {
  std::vector<char*> candidates, argv, environment;
  const char* cwd = nullptr;
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  int cgroup_procs = -1;
  const Credentials* user = nullptr;
  char listen_pid[sizeof kListenPid + kPidDigits] = "";  // empty: not wanted
  UniqueFd errors_in, errors_out;
  pid_t master = 0;
};

// Sources are duplicated above the targets, so that no dup2 in the child overwrites one.
bool prepare_descriptors(const SpawnPlan& plan, Prepared& prepared) {
  const int above = static_cast<int>(std::max<std::size_t>(plan.fds.size(), 3));
  for (const int fd : plan.fds) {
    if (fd >= 0) {
      prepared.owned.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, above));
      if (!prepared.owned.back()) return false;
    }
    prepared.fds.push_back(fd >= 0 ? prepared.owned.back().get() : -1);
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  prepared.errors_in.reset(ends[0]);
  UniqueFd low(ends[1]);
  prepared.errors_out.reset(::fcntl(low.get(), F_DUPFD_CLOEXEC, above));
  return prepared.errors_out && ::fcntl(prepared.errors_in.get(), F_SETFL, O_NONBLOCK) == 0;
}

bool prepare(const SpawnPlan& plan, Prepared& prepared) {
  prepared.candidates = pointers(plan.candidates);
  prepared.argv = pointers(plan.argv);
  prepared.environment = pointers(plan.environment);
  prepared.cwd = plan.cwd.empty() ? nullptr : plan.cwd.c_str();
  prepared.master = ::getpid();
  prepared.cgroup_procs = plan.cgroup_procs;
  prepared.user = plan.user ? &*plan.user : nullptr;
  if (plan.listen_pid) {
    std::memcpy(prepared.listen_pid, kListenPid, sizeof kListenPid);
    prepared.environment.insert(prepared.environment.begin(), prepared.listen_pid);
  }
  return prepare_descriptors(plan, prepared);
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

// Searches like execvp(3): a file that may not be run is remembered, but a later one that runs takes precedence.
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

void write_own_pid(char* entry) {
  char* const number = entry + sizeof kListenPid - 1;
  *std::to_chars(number, number + kPidDigits, ::getpid()).ptr = '\0';
}

void die_with_master(const Prepared& prepared) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.master) ::_exit(127);  // the master died before the line above
}

void place_descriptors(const std::vector<int>& fds, int errors) {
  const int count = static_cast<int>(fds.size());
  for (int target = 0; target < count; ++target) {
    const int source = fds[static_cast<std::size_t>(target)];
    if (source < 0)
      ::close(target);
    else if (::dup2(source, target) < 0)
      fail(errors, SpawnError::Stage::exec, errno);
  }
  ::close_range(static_cast<unsigned>(count), ~0u, CLOSE_RANGE_CLOEXEC);
}

[[noreturn]] void child(Prepared& prepared) {
  const int errors = prepared.errors_out.get();
  ::setsid();
  die_with_master(prepared);
  if (prepared.cgroup_procs >= 0 && ::write(prepared.cgroup_procs, "0", 1) != 1)
    fail(errors, SpawnError::Stage::cgroup, errno);
  default_signals();
  if (prepared.user) {
    if (const int error = take_on(*prepared.user)) fail(errors, SpawnError::Stage::user, error);
    die_with_master(prepared);  // the kernel cleared it when the user changed
  }
  if (prepared.cwd && ::chdir(prepared.cwd) != 0) fail(errors, SpawnError::Stage::cwd, errno);
  place_descriptors(prepared.fds, errors);
  if (*prepared.listen_pid) write_own_pid(prepared.listen_pid);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  fail(errors, SpawnError::Stage::exec, run_program(prepared));
}

}  // namespace

// Signals are blocked across the fork: a handler of the master that ran in the child would write into the master's own
// pipes. A child by vfork shares the memory of the master until it runs the program. One that changes its user must
// not: a process of that user could write to it.
std::optional<Spawned> spawn(const SpawnPlan& plan, int& error) {
  Prepared prepared;
  if (!prepare(plan, prepared)) {
    error = errno;
    return std::nullopt;
  }
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = prepared.user ? ::fork() : ::vfork();
  if (pid == 0) child(prepared);
  error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return std::nullopt;
  Spawned spawned{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(prepared.errors_in)};
  if (spawned.pidfd) return spawned;
  error = errno;  // without a pidfd its end would not be noticed
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
  const std::string as_user = plan.user ? " as user \"" + plan.user->name + "\"" : "";
  const std::string reason = std::strerror(error.error);
  if (error.stage == SpawnError::Stage::cgroup) return "cannot join its cgroup: " + reason;
  if (error.stage == SpawnError::Stage::user) return "cannot run" + as_user + ": " + reason + "; check user";
  if (error.stage == SpawnError::Stage::cwd)
    return "cannot enter the working directory \"" + plan.cwd + "\"" + as_user + ": " + reason + "; check cwd";
  const std::string& program = plan.argv.front();
  if (plan.candidates.size() > 1)
    return "cannot run \"" + program + "\" from the PATH" + as_user + ": " + reason +
           "; check command and the worker's PATH";
  if (error.error == ENOEXEC)
    return "cannot run \"" + program + "\"" + as_user + ": " + reason + "; a script needs a first line like #!/bin/sh";
  return "cannot run \"" + program + "\" (cwd " + plan.cwd + ")" + as_user + ": " + reason +
         "; check the file, its mode and its interpreter";
}

}  // namespace gray::supervisor
