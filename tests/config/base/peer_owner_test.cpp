#include "config/base/peer_owner.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/no_netlink.hpp"
#include "tests/support/other_user.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using State = PeerOwners::Peer::State;

namespace {

UniqueFd listener_at(const Address& address) {
  UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  REQUIRE(::listen(socket.get(), 16) == 0);
  return socket;
}

UniqueFd listener_at(const char* text) { return listener_at(*Address::parse(text)); }

Address address_of(const UniqueFd& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return *Address::from(storage, length);
}

UniqueFd connected_to(const Address& address) {
  UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  return socket;
}

std::uint64_t inode_of(const UniqueFd& socket) {
  struct stat facts{};
  REQUIRE(::fstat(socket.get(), &facts) == 0);
  return facts.st_ino;
}

Address port_of(const Address& address, const char* host) {
  Address other = *Address::parse(std::string(host) + ":0");
  other.port = address.port;
  return other;
}

}  // namespace

TEST_CASE("the listening TCP socket is the one that the kernel chooses for the address") {
  const PeerOwners owners;
  REQUIRE(owners.knows_tcp());
  const UniqueFd four = listener_at("127.0.0.1:0");
  const auto found = owners.listener(address_of(four));
  REQUIRE(found);
  CHECK(found->inode == inode_of(four));
  CHECK(found->uid == ::geteuid());
  CHECK_FALSE(owners.listener(port_of(address_of(four), "127.0.0.2")));
  CHECK_FALSE(owners.listener(port_of(address_of(four), "[::1]")));

  const UniqueFd all = listener_at("[::]:0");  // dual-stack
  for (const char* host : {"127.0.0.1", "[::1]"}) {
    const auto dual = owners.listener(port_of(address_of(all), host));
    REQUIRE(dual);
    CHECK(dual->inode == inode_of(all));
  }
}

TEST_CASE("the peer of a connection is known by user, of a unix socket by process too") {
  const PeerOwners owners;
  const test::Folder folder;
  const UniqueFd tcp = listener_at("127.0.0.1:0");
  const UniqueFd path = listener_at(*Address::parse("unix:" + (folder.path / "s").string()));
  const auto by_tcp = owners.of(connected_to(address_of(tcp)).get());
  CHECK(by_tcp.state == State::known);
  CHECK(by_tcp.owner == PeerOwner{::geteuid(), 0});
  const auto by_path = owners.of(connected_to(address_of(path)).get());
  CHECK(by_path.state == State::known);
  CHECK(by_path.owner == PeerOwner{::geteuid(), ::getpid()});
}

TEST_CASE("without a listener only a connection that was accepted has a peer") {
  const PeerOwners owners;
  UniqueFd listener = listener_at("127.0.0.1:0");
  const UniqueFd first = connected_to(address_of(listener));
  const UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const UniqueFd second = connected_to(address_of(listener));
  listener.reset();
  const auto peer = owners.of(first.get());
  CHECK(peer.state == State::known);
  CHECK(peer.owner == PeerOwner{::geteuid(), 0});
  CHECK(owners.of(second.get()).state == State::nobody);
}

TEST_CASE("a different user is found behind a port, a path, and a link to a path") {
  if (::geteuid() != 0) return;  // only root may start processes of different users
  const PeerOwners owners;
  const test::Folder folder;
  Address port = *Address::parse("127.0.0.1:0");
  port.port = address_of(listener_at("127.0.0.1:0")).port;
  const test::OtherUser at_port(port);
  CHECK(owners.of(connected_to(port).get()).owner == PeerOwner{test::kOtherUser, 0});
  const Address path = *Address::parse("unix:" + (folder.path / "s").string());
  const test::OtherUser at_path(path);
  CHECK(owners.of(connected_to(path).get()).owner == PeerOwner{test::kOtherUser, at_path.pid()});
  const std::string link = (folder.path / "link").string();
  REQUIRE(::symlink(path.path.c_str(), link.c_str()) == 0);
  CHECK(owners.of(connected_to(*Address::parse("unix:" + link)).get()).owner ==
        PeerOwner{test::kOtherUser, at_path.pid()});
}

TEST_CASE("without privileges the owners of other users' sockets are known, too") {
  if (::geteuid() != 0) return;
  const UniqueFd listener = listener_at("127.0.0.1:0");
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(test::kOtherUser, test::kOtherUser, test::kOtherUser) != 0) ::_exit(2);
    const PeerOwners owners;
    const auto found = owners.of(connected_to(address_of(listener)).get());
    ::_exit(found.state == State::known && found.owner.uid == 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("where netlink is forbidden, peers of TCP are unknown, and those of unix sockets are not") {
  const test::Folder folder;
  const UniqueFd tcp = listener_at("127.0.0.1:0");
  const UniqueFd path = listener_at(*Address::parse("unix:" + (folder.path / "s").string()));
  test::without_netlink([&] {
    const PeerOwners owners;
    CHECK_FALSE(owners.knows_tcp());
    CHECK_FALSE(owners.listener(address_of(tcp)));
    CHECK(owners.of(connected_to(address_of(tcp)).get()).state == State::unknown);
    CHECK(owners.of(connected_to(address_of(path)).get()).owner == PeerOwner{::geteuid(), ::getpid()});
  });
}

TEST_CASE("a socket that is not connected has no peer") {
  const PeerOwners owners;
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(owners.of(socket.get()).state == State::nobody);
}
