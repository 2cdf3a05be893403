#include "supervisor/process/port.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include "config/base/address.hpp"
#include "config/base/archive.hpp"

using namespace gray;
using namespace gray::supervisor;

namespace {

// Like a worker's server: listens on the port, with or without SO_REUSEADDR.
UniqueFd listen_on(std::uint16_t port, bool reuse) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = reuse ? 1 : 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage storage{};
  const socklen_t length = Address::parse("127.0.0.1:" + std::to_string(port))->to(storage);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) return {};
  if (::listen(socket.get(), 8) != 0) return {};
  return socket;
}

}  // namespace

TEST_CASE("a server with SO_REUSEADDR can listen on a reserved port, one without it only after its release") {
  auto port = Port::reserve();
  REQUIRE(port);
  CHECK(listen_on(port->number(), true));
  CHECK_FALSE(listen_on(port->number(), false));
  port->release();
  CHECK_FALSE(port->reserved());
  CHECK(listen_on(port->number(), false));
}

TEST_CASE("two reservations never share a port") {
  const auto a = Port::reserve(), b = Port::reserve();
  CHECK(a->number() != b->number());
}

TEST_CASE("a port to be inherited accepts connections before a worker serves it") {
  const auto port = Port::listen();
  REQUIRE(port);
  CHECK(port->listens());
  CHECK_FALSE(Port::reserve()->listens());
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = port->address().to(storage);
  CHECK(::connect(client.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  CHECK_FALSE(listen_on(port->number(), true));
}

TEST_CASE("a port that is handed over is the same socket") {
  auto port = Port::listen();
  REQUIRE(port);
  Save save;
  port->archive(save);
  const auto json = save.take();
  const int fd = port->fd();
  CHECK(save.fds() == std::set<int>{fd});
  const UniqueFd copy(::dup(fd));  // keeps it listening while the old object closes its descriptor
  const auto number = port->number();
  port.reset();
  REQUIRE(::dup2(copy.get(), fd) == fd);
  Port resumed(kRestored);
  CHECK_FALSE(resumed.reserved());
  Load load(json, save.fds());
  resumed.archive(load);
  CHECK(resumed.number() == number);
  CHECK(resumed.fd() == fd);
  CHECK(resumed.listens());
}
