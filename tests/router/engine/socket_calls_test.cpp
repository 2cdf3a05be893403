#include "router/engine/socket_calls.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "tests/support/wire.hpp"

using namespace gray;
using namespace gray::engine;

TEST_CASE("the error of a refused connect is read, and options are set where they exist") {
  const test::Listener nobody;  // bound, never listening
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  CHECK(socket_error(fd.get()) == 0);
  CHECK(socket_error(-1) == EBADF);
  set_no_delay(fd.get());
  int on = 0;
  socklen_t length = sizeof on;
  REQUIRE(getsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0);
  CHECK(on != 0);
  sockaddr_storage storage{};
  const socklen_t size = nobody.address().to(storage);
  CHECK(::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) == -1);
  pollfd watched{fd.get(), POLLOUT, 0};
  REQUIRE(::poll(&watched, 1, static_cast<int>(test::kTimeout.count())) == 1);
  CHECK(socket_error(fd.get()) == ECONNREFUSED);
}

TEST_CASE("a close after set_reset_on_close() is a reset") {
  const test::Listener listener;
  listener.listen();
  test::Wire client = test::dial(listener.address());
  UniqueFd accepted(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  set_reset_on_close(accepted.get());
  accepted.reset();
  CHECK(client.read_rest().empty());
  CHECK(client.end() == test::Wire::End::reset);
}
