#include "grayd/routers/router_child.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/shared/channel.hpp"
#include "config/shared/segment.hpp"
#include "grayd/routers/router_spawn.hpp"
#include "tests/grayd/guard/sleeper.hpp"

using namespace gray;
using namespace gray::master;

TEST_CASE("a router whose master is gone fails") {
  auto segment = segment::Segment::create();
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
  REQUIRE(test::ended_in_time(router, status));
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
}
