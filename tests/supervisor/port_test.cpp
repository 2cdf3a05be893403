#include "supervisor/port.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/address.hpp"

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

TEST_CASE("a reserved port nobody listens on has no owner") {
  const auto port = Port::reserve();
  CHECK(find_listener(port->number(), {::getpid()}).owner == Listener::Owner::none);
}

TEST_CASE("the owner of a listening socket is found, and a stranger is named") {
  const auto port = Port::reserve();
  const UniqueFd server = listen_on(port->number(), true);
  CHECK(find_listener(port->number(), {::getpid()}).owner == Listener::Owner::worker);
  const Listener stranger = find_listener(port->number(), {1});
  CHECK(stranger.owner == Listener::Owner::stranger);
  CHECK(stranger.complaint == "port " + std::to_string(port->number()) + " is answered by pid " +
                                  std::to_string(::getpid()) + " (supervisor_test), not by this worker");
}

TEST_CASE("only listening sockets of the very port are taken from the kernel's table") {
  const std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 "
      "0\n"
      "   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 "
      "-1\n"
      "   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 "
      "0\n";
  CHECK(listening_inodes(table, 8080) == std::vector<std::uint64_t>{4711});
  CHECK(listening_inodes("garbage\n\n", 8080).empty());
  const std::string six =
      "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 "
      "00:00000000 00000000"
      "     0        0 99 1 0\n";
  CHECK(listening_inodes(six, 8080) == std::vector<std::uint64_t>{99});
}
