#include "grayd/routers/router_child.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/unique_fd.hpp"
#include "config/shared/channel.hpp"
#include "config/shared/segment.hpp"
#include "grayd/routers/router_spawn.hpp"

using namespace gray;
using namespace gray::master;

namespace {

/// A process in a group of its own that sleeps until it is killed.
pid_t start_sleeper() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    for (;;) ::pause();
  }
  ::setpgid(pid, pid);
  return pid;
}

/// Waits for the end of a child; a child that exceeds the deadline is killed.
bool ended_in_time(pid_t pid, int& status) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd end{pidfd.get(), POLLIN, 0};
  const bool in_time = ::poll(&end, 1, 20'000) == 1;
  if (!in_time) ::kill(pid, SIGKILL);
  ::waitpid(pid, &status, 0);
  return in_time;
}

}  // namespace

TEST_CASE("a router whose master is gone kills the workers' process groups and fails") {
  auto segment = segment::Segment::create();
  const pid_t worker = start_sleeper();
  REQUIRE(segment.add_group(worker));
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  REQUIRE(send_message(ends[0], ChannelMessage{}) == ChannelResult::ok);
  ::close(ends[0]);  // the master has said hello, and died
  const pid_t router = ::fork();
  if (router == 0) {
    RouterArguments arguments;
    arguments.channel = ends[1];
    arguments.segment = ::dup(segment.fd());
    arguments.freed = ::dup(segment.freed());
    ::_exit(run_router_child(arguments));
  }
  ::close(ends[1]);
  int status = 0;
  REQUIRE(ended_in_time(router, status));
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  REQUIRE(ended_in_time(worker, status));
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}
