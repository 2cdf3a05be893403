#include "router/engine/socket_calls.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

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

TEST_CASE("accepted sockets inherit the limit of what the kernel holds unsent, and it tells how much it takes") {
  constexpr std::size_t kLimit = 32'768;
  const test::Listener listener;
  limit_not_sent(listener.fd(), kLimit);
  listener.listen();
  const test::Wire client = test::dial(listener.address(), 4'096);
  const UniqueFd ours(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  int inherited = 0;
  socklen_t length = sizeof inherited;
  REQUIRE(getsockopt(ours.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &inherited, &length) == 0);
  CHECK(inherited == static_cast<int>(kLimit));
  const auto before = sendable(ours.get(), kLimit);
  REQUIRE(before);
  CHECK(*before >= kLimit);
  const std::string much(1 << 20, 'x');
  const ssize_t taken = transmit(ours.get(), much);
  REQUIRE(taken > 0);
  CHECK(taken < 200'000);  // a limit, a segment, and the window of the client
  CHECK(transmit(ours.get(), much) == -1);
  CHECK(errno == EAGAIN);
  CHECK(sendable(ours.get(), kLimit) == 0);
}

TEST_CASE("a socket that is not TCP does not tell how much it takes") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd left(ends[0]), right(ends[1]);
  CHECK_FALSE(sendable(left.get(), 1));
}

TEST_CASE("pieces are sent in their order") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd left(ends[0]), right(ends[1]);
  const std::array<std::string_view, 3> pieces{"one ", "", "two"};
  CHECK(transmit_pieces(left.get(), pieces) == 7);
  char bytes[16];
  CHECK(std::string_view(bytes, static_cast<std::size_t>(receive(right.get(), bytes, sizeof bytes))) == "one two");
}
