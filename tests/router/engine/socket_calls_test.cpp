#include "router/engine/socket_calls.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
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

// In the first exchanges the kernel acknowledges at once. Whether the delay has begun shows in each round.
TEST_CASE("received bytes are acknowledged when that is asked for, not later") {
  const test::Listener listener;
  listener.listen();
  test::Wire ours = test::dial(listener.address());
  test::Wire peer(UniqueFd(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC)));
  const auto unacknowledged = [&] {
    int bytes = -1;
    REQUIRE(::ioctl(peer.fd(), SIOCOUTQ, &bytes) == 0);
    return bytes;
  };
  char byte = 0;
  int delayed = 0, at_once = 0;
  for (int round = 0; round < 50; ++round) {
    REQUIRE(transmit(ours.fd(), "?") == 1);
    REQUIRE(::recv(peer.fd(), &byte, 1, 0) == 1);
    REQUIRE(transmit(peer.fd(), "!") == 1);
    REQUIRE(::recv(ours.fd(), &byte, 1, 0) == 1);
    if (unacknowledged() == 0) continue;
    ++delayed;
    acknowledge_received(ours.fd());
    if (unacknowledged() == 0) ++at_once;
  }
  CHECK(delayed > 0);
  CHECK(at_once > 0);
}

TEST_CASE("bytes are sent and received, and errors are in errno") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  const UniqueFd left(ends[0]);
  UniqueFd right(ends[1]);
  char bytes[8];
  CHECK(receive(left.get(), bytes, sizeof bytes) == -1);
  CHECK(errno == EAGAIN);
  CHECK(transmit(right.get(), "hello") == 5);
  CHECK(receive(left.get(), bytes, 3) == 3);
  CHECK(receive(left.get(), bytes + 3, sizeof bytes - 3) == 2);
  CHECK(std::string_view(bytes, 5) == "hello");
  right.reset();
  CHECK(receive(left.get(), bytes, sizeof bytes) == 0);
  CHECK(transmit(left.get(), "x") == -1);  // no SIGPIPE
  CHECK(errno == EPIPE);
}
