#include "grayd/demo/own_listener.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cerrno>

using namespace gray;

TEST_CASE("a free port is opened, and for a taken one the kernel chooses") {
  const auto first = demo::open_listener(0);
  REQUIRE(first.port != 0);
  int listens = 0;
  socklen_t size = sizeof listens;
  REQUIRE(::getsockopt(first.fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0);
  CHECK(listens == 1);
  const auto second = demo::open_listener(first.port);
  CHECK(second.port != 0);
  CHECK(second.port != first.port);
  CHECK(second.refused == EADDRINUSE);
  CHECK(first.refused == 0);
}

TEST_CASE("a port that is asked for and free is used") {
  std::uint16_t port = 0;
  {
    port = demo::open_listener(0).port;
  }
  CHECK(demo::open_listener(port).port == port);
}
