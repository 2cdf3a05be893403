#include "grayd/listeners.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using test::Folder;

namespace {

namespace fs = std::filesystem;

bool connects(const Address& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const auto length = address.to(storage);
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
}

std::string refusal_of(const Address& address) {
  try {
    Listeners listeners({address});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("an address is bound at once, and accepts connections only after listen()") {
  Listeners listeners({*Address::parse("127.0.0.1:0")});
  const auto address = listeners.addresses()[0];
  CHECK(address.port != 0);
  CHECK(listeners.text() == "http://" + address.text());
  CHECK_FALSE(connects(address));
  listeners.listen();
  CHECK(connects(address));
}

TEST_CASE("listening sockets are close-on-exec and never block") {
  Listeners listeners({*Address::parse("127.0.0.1:0")});
  const int fd = listeners.fds()[0];
  CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("a port in use is refused with its owner") {
  Listeners first({*Address::parse("127.0.0.1:0")});
  first.listen();
  const auto address = first.addresses()[0];
  const auto line = refusal_of(address);
  CHECK(line.starts_with(address.text() + " is in use (by pid " + std::to_string(::getpid()) + " "));
  CHECK(line.ends_with("; stop that program or change [listen] http"));
}

TEST_CASE("a unix socket is created with its folder, and removed by the destructor") {
  Folder folder;
  const auto address = folder.socket("new/web.sock");
  {
    Listeners listeners({address});
    listeners.listen();
    CHECK(connects(address));
    CHECK(listeners.text() == address.text());
  }
  CHECK_FALSE(fs::exists(address.path));
}

TEST_CASE("a unix socket is as open as a port, whatever the umask is") {
  Folder folder;
  const auto address = folder.socket("web.sock");
  const mode_t before = ::umask(0077);
  const Listeners listeners({address});
  ::umask(before);
  CHECK(static_cast<unsigned>(fs::status(address.path).permissions()) == 0666);
}

TEST_CASE("if one address cannot be bound, the others are released") {
  Folder folder;
  const auto address = folder.socket("web.sock");
  CHECK_THROWS(Listeners({address, *Address::parse("192.0.2.1:8000")}));
  CHECK_FALSE(fs::exists(address.path));
}

TEST_CASE("an IPv6 address is bound and printed in brackets") {
  Listeners listeners({*Address::parse("[::1]:0")});
  const auto address = listeners.addresses()[0];
  CHECK(listeners.text() == "http://[::1]:" + std::to_string(address.port));
  listeners.listen();
  CHECK(connects(address));
}

TEST_CASE("a stale unix socket is replaced; one that is in use is refused") {
  Folder folder;
  const auto address = folder.socket("web.sock");
  {
    UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto length = address.to(storage);
    REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  }
  REQUIRE(fs::exists(address.path));
  Listeners listeners({address});
  listeners.listen();
  CHECK(refusal_of(address).starts_with(address.text() + " is in use"));
  CHECK(connects(address));
}

TEST_CASE("a unix socket whose file was removed is made again with the same descriptor") {
  const Folder folder;
  const Address address = folder.socket("web.sock");
  Listeners listeners({address});
  listeners.listen();
  const std::vector<int> before = listeners.fds();
  REQUIRE(listeners.paths() == std::vector{address.path});
  std::filesystem::remove(address.path);
  listeners.restore(address.path);
  CHECK(listeners.fds() == before);
  CHECK(std::filesystem::is_socket(address.path));
  CHECK(connects(address));
  const UniqueFd accepted(::accept4(before[0], nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(accepted);
}

TEST_CASE("a file that is not a socket is not removed") {
  Folder folder;
  const auto address = folder.socket("precious");
  std::ofstream(address.path) << "data";
  CHECK(refusal_of(address).find("the path exists and is not a socket") != std::string::npos);
  CHECK(fs::file_size(address.path) == 4);
}

TEST_CASE("an address of another host is refused with a remedy") {
  CHECK(refusal_of(*Address::parse("192.0.2.1:8000")).find("this host has no such address") != std::string::npos);
}
