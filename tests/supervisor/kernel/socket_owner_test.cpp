#include "supervisor/kernel/socket_owner.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/process/port.hpp"
#include "supervisor/process/worker_folder.hpp"
#include "tests/supervisor/process/listening.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace gray::supervisor::test;

namespace {

using Inodes = std::vector<std::uint64_t>;

UniqueFd connect_to(const Address& address) {
  UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  return socket;
}

std::string self() { return "pid " + std::to_string(::getpid()) + " (supervisor_test)"; }

}  // namespace

TEST_CASE("a reserved port without a listening process has no owner") {
  const auto port = Port::reserve();
  CHECK(find_listener(port->address(), {::getpid()}).owner == Listener::Owner::none);
  CHECK(owner_of(port->address()).empty());
}

TEST_CASE("the owner of a listening socket is found, and a stranger is named with the remedy") {
  const auto port = Port::listen();
  CHECK(find_listener(port->address(), {::getpid()}).owner == Listener::Owner::worker);
  const Listener stranger = find_listener(port->address(), {1});
  CHECK(stranger.owner == Listener::Owner::stranger);
  CHECK(stranger.complaint ==
        port->address().text() + " is answered by " + self() + ", not by this worker; stop that program");
  CHECK(owner_of(port->address()) == self());
}

TEST_CASE("a listener is described the same, by one question for a socket or by looking at all of them") {
  const PeerOwners kernel;
  for (const char* text : {"127.0.0.1:0", "[::1]:0", "[::]:0", "0.0.0.0:0"}) {
    CAPTURE(text);
    for (const int backlog : {5, 1'000}) {
      const UniqueFd socket = listen_on(*Address::parse(text));
      REQUIRE(::listen(socket.get(), backlog) == 0);
      const Address loopback = *Address::parse("127.0.0.1:" + std::to_string(address_of(socket).port));
      CHECK(look_at_listener(loopback, kernel) == look_at_listener(loopback));
    }
  }
}

TEST_CASE("the owner of a unix socket is found by its path") {
  WorkerFolders folders("owner-test-" + std::to_string(::getpid()));
  const auto folder = folders.make(1, {});
  const Address address = *Address::parse("unix:" + folder->listen_path());
  CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::none);
  const UniqueFd socket = listen_on(address);
  CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::worker);
  const Listener stranger = find_listener(address, {1});
  CHECK(stranger.owner == Listener::Owner::stranger);
  CHECK(stranger.complaint == address.text() + " is answered by " + self() + ", not by this worker; stop that program");
}

TEST_CASE("the owner of a socket at an IPv6 address or at all addresses is found") {
  for (const char* text : {"[::1]:0", "[::]:0", "0.0.0.0:0"}) {
    CAPTURE(text);
    const UniqueFd socket = listen_on(*Address::parse(text));
    const Address address = address_of(socket);
    CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::worker);
    CHECK(find_listener(address, {1}).owner == Listener::Owner::stranger);
    CHECK(owner_of(address) == self());
    const Address loopback = *Address::parse("127.0.0.1:" + std::to_string(address.port));
    CHECK(find_listener(loopback, {::getpid()}).owner == Listener::Owner::worker);
  }
}

TEST_CASE("the listening process is found among many connections, and ended connections are not listed") {
  auto port = Port::listen();
  const Address address = port->address();
  std::vector<UniqueFd> ends;
  for (int i = 0; i < 500; ++i) {
    ends.push_back(connect_to(address));
    ends.emplace_back(::accept4(port->fd(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(ends.back());
  }
  CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::worker);
  CHECK(find_listener(address, {1}).owner == Listener::Owner::stranger);
  without_netlink([&] { CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::worker); });
  port.reset();
  CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::none);
  without_netlink([&] { CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::none); });
}

TEST_CASE("where netlink is forbidden, the kernel's tables are used") {
  const auto port = Port::listen();
  const UniqueFd six = listen_on(*Address::parse("[::1]:0"));
  WorkerFolders folders("owner-test-" + std::to_string(::getpid()));
  const auto folder = folders.make(1, {});
  const Address path = *Address::parse("unix:" + folder->listen_path());
  const UniqueFd unix_socket = listen_on(path);
  without_netlink([&] {
    for (const Address& address : {port->address(), address_of(six), path}) {
      CAPTURE(address.text());
      CHECK(find_listener(address, {::getpid()}).owner == Listener::Owner::worker);
      CHECK(owner_of(address) == self());
    }
  });
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
  CHECK(listening_inodes(table, 8080) == Inodes{4711});
  CHECK(listening_inodes(table, 80).empty());
  CHECK(listening_inodes("garbage\n\n", 8080).empty());
  CHECK(listening_inodes("", 8080).empty());
  const std::string six =
      "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 "
      "00:00000000 00000000     0        0 99 1 0\n";
  CHECK(listening_inodes(six, 8080) == Inodes{99});
}

TEST_CASE("the kernel's table is read no further than its last listening socket") {
  const std::string head =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
  const std::string listens =
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n";
  const std::string talks =
      "   1: 0100007F:1F90 0100007F:9999 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n";
  CHECK_FALSE(has_all_that_listen(head));
  CHECK_FALSE(has_all_that_listen(head + listens));
  CHECK(has_all_that_listen(head + listens + talks));
  CHECK(has_all_that_listen(talks + talks.substr(0, 30)));  // cut within a row
  for (std::size_t cut = 0; cut < talks.size(); ++cut) {
    INFO(cut);
    CHECK_FALSE(has_all_that_listen(head + listens + talks.substr(0, cut)));
  }
  CHECK_FALSE(has_all_that_listen(""));
  CHECK_FALSE(has_all_that_listen("garbage\n\n"));
}

TEST_CASE("only listening sockets of the very path are taken from the table of unix sockets") {
  const std::string table =
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "000000000b406dd3: 00000003 00000000 00000000 0001 03  1597\n"
      "000000000b406dd4: 00000002 00000000 00010000 0001 01  1598 /run/a b/http\n"
      "000000000b406dd5: 00000003 00000000 00000000 0001 03  1599 /run/a b/http\n"
      "000000000b406dd6: 00000002 00000000 00010000 0001 01  1600 /run/a b/http2\n";
  CHECK(listening_inodes(table, "/run/a b/http") == Inodes{1598});
  CHECK(listening_inodes(table, "/run/a").empty());
  CHECK(listening_inodes("garbage\n", "/run/a").empty());
}
