#include "grayd/service_manager.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using namespace std::chrono_literals;

namespace {

/// The other side of NOTIFY_SOCKET, which is set while it lives.
struct Manager {
  UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};

  explicit Manager(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  std::string heard() const {
    char text[512];
    const ssize_t got = ::recv(socket.get(), text, sizeof text, 0);
    return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
  }
};

}  // namespace

TEST_CASE("half of the watchdog's time, if it is meant for this process") {
  const std::string own = std::to_string(::getpid());
  CHECK(watchdog_interval("3000000", own.c_str()) == 1500ms);
  CHECK(watchdog_interval("3000000", nullptr) == 1500ms);
  CHECK_FALSE(watchdog_interval("3000000", "1"));
  for (const char* bad : {"", "0", "-5", "soon", "3000000x", "99999999999999999999999"})
    CHECK_FALSE(watchdog_interval(bad, nullptr));
  CHECK_FALSE(watchdog_interval(nullptr, own.c_str()));
}

TEST_CASE("what is told, to a path and to an abstract name") {
  const test::Folder folder;
  for (const std::string& name : {(folder.path / "notify").string(), "@gray-test-" + std::to_string(::getpid())}) {
    const Manager manager(name);
    asio::io_context io;
    ServiceManager service(io);
    service.reloading();
    service.reloaded(true);
    CHECK(manager.heard().empty());  // it is not ready yet
    service.ready("serves");
    CHECK(manager.heard() == "READY=1\nSTATUS=serves");
    service.reloading();
    CHECK(manager.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    service.reloaded(false);
    CHECK(manager.heard() == "READY=1\nSTATUS=serves; the last reload was refused");
    service.reloading();
    CHECK(manager.heard().starts_with("RELOADING=1\n"));
    service.reloaded(true);
    CHECK(manager.heard() == "READY=1\nSTATUS=serves");
    service.stopping("ends");
    CHECK(manager.heard() == "STOPPING=1\nSTATUS=ends");
    service.watch();
    CHECK(manager.heard().empty());  // nobody asked for it
  }
}

TEST_CASE("the watchdog hears from a loop that turns") {
  const test::Folder folder;
  const Manager manager((folder.path / "notify").string());
  ::setenv("WATCHDOG_USEC", "20000", 1);
  asio::io_context io;
  ServiceManager service(io);
  service.watch();
  CHECK(manager.heard() == "WATCHDOG=1");
  CHECK(manager.heard().empty());
  while (io.run_one() > 0)
    if (manager.heard() == "WATCHDOG=1") break;
}

TEST_CASE("a manager that is gone, or was never there, costs nothing") {
  asio::io_context io;
  ServiceManager(io).ready("alone");
  const test::Folder folder;
  {
    const Manager manager((folder.path / "notify").string());
  }
  ::setenv("NOTIFY_SOCKET", ((folder.path / "notify").string()).c_str(), 1);
  ServiceManager(io).ready("still alone");
  ::setenv("NOTIFY_SOCKET", std::string(200, '/').c_str(), 1);
  ServiceManager(io).ready("no such path");
  ::unsetenv("NOTIFY_SOCKET");
}
