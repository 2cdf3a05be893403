#include "supervisor/kernel/sock_diag.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "supervisor/process/port.hpp"
#include "supervisor/process/worker_folder.hpp"
#include "tests/supervisor/process/listening.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace gray::supervisor::test;

namespace {

using Inodes = std::vector<std::uint64_t>;

Inodes inode_of(const UniqueFd& socket) {
  struct stat facts{};
  REQUIRE(::fstat(socket.get(), &facts) == 0);
  return {facts.st_ino};
}

}  // namespace

TEST_CASE("the kernel names the sockets that listen on the very port, by family") {
  const UniqueFd four = listen_on(*Address::parse("127.0.0.1:0")), six = listen_on(*Address::parse("[::1]:0"));
  CHECK(listening_tcp(AF_INET, address_of(four).port) == inode_of(four));
  CHECK(listening_tcp(AF_INET6, address_of(four).port) != inode_of(four));  // a different program may listen there
  CHECK(listening_tcp(AF_INET6, address_of(six).port) == inode_of(six));
  CHECK(listening_tcp(AF_INET, 0) == Inodes{});  // for the kernel 0 is any port
}

TEST_CASE("the kernel says how long the backlog is, and whether a socket listens at every address") {
  const UniqueFd local = listen_on(*Address::parse("127.0.0.1:0"));
  REQUIRE(::listen(local.get(), 5) == 0);
  const auto one = tcp_listeners(AF_INET, address_of(local).port);
  REQUIRE(one);
  REQUIRE(one->size() == 1);
  CHECK(one->front().backlog == 5);
  CHECK_FALSE(one->front().everywhere);
  for (const char* any : {"0.0.0.0:0", "[::]:0"}) {
    const UniqueFd socket = listen_on(*Address::parse(any));
    const Address address = address_of(socket);
    const auto found = tcp_listeners(static_cast<sa_family_t>(address.family()), address.port);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(found->front().everywhere);
  }
  WorkerFolders folders("diag-test-" + std::to_string(::getpid()));
  const auto folder = folders.make(1, {});
  const UniqueFd socket = listen_on(*Address::parse("unix:" + folder->listen_path()));
  REQUIRE(::listen(socket.get(), 7) == 0);
  const auto found = unix_listeners(folder->listen_path());
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().backlog == 7);
  CHECK_FALSE(found->front().everywhere);
}

TEST_CASE("an address that is bound without listening is not named") {
  const auto port = Port::reserve();
  CHECK(listening_tcp(AF_INET, port->address().port) == Inodes{});
}

TEST_CASE("the kernel names the unix sockets that listen at the very path, among many") {
  WorkerFolders folders("diag-test-" + std::to_string(::getpid()));
  const auto folder = folders.make(1, {});
  const std::string path = folder->listen_path();
  std::vector<UniqueFd> others;  // more than one part of an answer
  for (int i = 0; i < 500; ++i) others.push_back(listen_on(*Address::parse("unix:" + path + "." + std::to_string(i))));
  CHECK(listening_unix(path) == Inodes{});
  const UniqueFd socket = listen_on(*Address::parse("unix:" + path));
  CHECK(listening_unix(path) == inode_of(socket));
  CHECK(listening_unix(path + ".499") == inode_of(others.back()));
}

TEST_CASE("the longest path is compared whole") {
  WorkerFolders folders("diag-test-" + std::to_string(::getpid()));
  const auto folder = folders.make(1, {});
  std::string path = folder->listen_path();
  path.resize(107, 'x');
  const UniqueFd socket = listen_on(*Address::parse("unix:" + path));
  CHECK(listening_unix(path) == inode_of(socket));
  CHECK(listening_unix(path.substr(0, 106)) == Inodes{});
}

TEST_CASE("for an unsupported family there is no answer, instead of an empty one") {
  CHECK_FALSE(listening_tcp(AF_APPLETALK, 80));
  CHECK(errno == ENOENT);
}

TEST_CASE("where netlink is forbidden there is no answer") {
  without_netlink([] {
    CHECK_FALSE(listening_tcp(AF_INET, 80));
    CHECK(errno == EPERM);
    CHECK_FALSE(listening_unix("/run/nobody"));
  });
}
