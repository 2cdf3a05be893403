#include "grayd/process/temporary_grayd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "config/base/pidfd.hpp"

namespace gray::master {
namespace {

constexpr int kFirstGiven = 3;  // sd_listen_fds(3)

struct Descriptors {
  int input, output, listener;
};

[[noreturn]] void become(const char* program, char* const* argv, pid_t parent, const Descriptors& fds) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);
  for (const char* name : {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(name);
  ::dup2(fds.input, STDIN_FILENO);
  ::dup2(fds.output, STDOUT_FILENO);
  ::dup2(fds.output, STDERR_FILENO);
  if (fds.listener >= 0) {
    if (fds.listener == kFirstGiven)
      ::fcntl(kFirstGiven, F_SETFD, 0);
    else
      ::dup2(fds.listener, kFirstGiven);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  }
  ::execv(program, argv);
  ::_exit(127);
}

[[noreturn]] void no_child(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

TemporaryGrayd::TemporaryGrayd(const std::string& program, const std::string& file, const std::string& log,
                               int listener) {
  std::string arguments[] = {"grayd", "--config", file};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  const UniqueFd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const UniqueFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!output || !input) no_child("the log of a temporary grayd");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) no_child("a process for a temporary grayd");
  if (pid_ == 0) become(program.c_str(), argv, parent, {input.get(), output.get(), listener});
  pidfd_.reset(::pidfd_open(pid_, 0));
}

TemporaryGrayd::~TemporaryGrayd() {
  ::kill(pid_, SIGTERM);
  if (!ended_within(kStopTime)) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool TemporaryGrayd::ended_within(Duration time) const {
  pollfd end{pidfd_.get(), POLLIN, 0};
  return pidfd_ && ::poll(&end, 1, static_cast<int>(time.count())) > 0;
}

}  // namespace gray::master
