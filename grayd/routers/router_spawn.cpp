#include "grayd/routers/router_spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "grayd/handoff/inherited_signals.hpp"

extern "C" {  // glibc 2.36 forgot to say so in the header itself
#include <sys/pidfd.h>
}

namespace gray::master {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

UniqueFd duplicate_above(int fd, int floor) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, floor));
  if (!copy) fail("duplicate a descriptor for a router");
  return copy;
}

/// The descriptors of the child, by their number there. The sources are above every target, so that no dup2 overwrites
/// a source.
struct FdMap {
  std::vector<std::pair<UniqueFd, int>> moves;
  int end = kFirstListenerFd;  // the first descriptor that the child does not get
};

FdMap map_of(const RouterCommand& command, int channel) {
  FdMap map;
  map.end = kFirstListenerFd + static_cast<int>(command.listeners.size());
  const auto add = [&](int source, int target) { map.moves.emplace_back(duplicate_above(source, map.end), target); };
  add(channel, kChannelFd);
  add(command.segment, kSegmentFd);
  add(command.freed, kFreedFd);
  if (command.access_log >= 0) add(command.access_log, kAccessLogFd);
  for (std::size_t i = 0; i < command.listeners.size(); ++i) {
    add(command.listeners[i], kFirstListenerFd + static_cast<int>(i));
  }
  return map;
}

[[noreturn]] void become_router(const char* program, char* const* argv, const std::pair<UniqueFd, int>* moves,
                                std::size_t count, unsigned end) {
  ::setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    if (::dup2(moves[i].first.get(), moves[i].second) < 0) ::_exit(126);
  }
  ::close_range(end, ~0u, 0);
  ::execv(program, argv);
  ::_exit(127);
}

}  // namespace

std::vector<std::string> router_arguments(const RouterCommand& command) {
  std::vector<std::string> arguments{"grayd",     "router",
                                     "--channel", std::to_string(kChannelFd),
                                     "--segment", std::to_string(kSegmentFd),
                                     "--freed",   std::to_string(kFreedFd)};
  if (command.access_log >= 0) {
    arguments.insert(arguments.end(), {"--access-log", std::to_string(kAccessLogFd)});
  }
  arguments.insert(arguments.end(), {"--listeners", std::to_string(command.listeners.size())});
  if (command.proxied > 0) arguments.insert(arguments.end(), {"--proxied", std::to_string(command.proxied)});
  if (!command.cgroup.empty()) arguments.insert(arguments.end(), {"--cgroup", command.cgroup});
  return arguments;
}

RouterChild spawn_router(const RouterCommand& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) fail("make a channel");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  const auto map = map_of(command, theirs.get());
  auto arguments = router_arguments(command);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const SignalsHeld held;
  const pid_t pid = ::fork();
  if (pid < 0) fail("start a router");
  if (pid == 0) {
    become_router(command.program.c_str(), argv.data(), map.moves.data(), map.moves.size(),
                  static_cast<unsigned>(map.end));
  }
  UniqueFd pidfd(::pidfd_open(pid, 0));
  if (!pidfd) {
    const int cause = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    errno = cause;
    fail("watch a router");
  }
  return {pid, std::move(pidfd), std::move(ours)};
}

}  // namespace gray::master
