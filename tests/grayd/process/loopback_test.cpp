#include "grayd/process/loopback.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

using namespace gray;
using namespace gray::master;

TEST_CASE("a socket is bound to a free port of 127.0.0.1, and refused at one at which another listens") {
  const UniqueFd first = bound_to_loopback(0);
  REQUIRE(first);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(first.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  CHECK(address.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  REQUIRE(::listen(first.get(), 1) == 0);
  const UniqueFd second = bound_to_loopback(ntohs(address.sin_port));
  const int cause = errno;
  CHECK_FALSE(second);
  CHECK(cause == EADDRINUSE);
}
