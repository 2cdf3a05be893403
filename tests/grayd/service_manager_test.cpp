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

/// The receiver behind NOTIFY_SOCKET, which is set while the object exists.
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
  std::string received() const {
    char text[512];
    const ssize_t got = ::recv(socket.get(), text, sizeof text, 0);
    return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
  }
};

}  // namespace

TEST_CASE("the watchdog interval is half of WATCHDOG_USEC, if it is meant for this process") {
  const std::string own = std::to_string(::getpid());
  CHECK(watchdog_interval("3000000", own.c_str()) == 1500ms);
  CHECK(watchdog_interval("3000000", nullptr) == 1500ms);
  CHECK_FALSE(watchdog_interval("3000000", "1"));
  for (const char* bad : {"", "0", "-5", "soon", "3000000x", "99999999999999999999999"})
    CHECK_FALSE(watchdog_interval(bad, nullptr));
  CHECK_FALSE(watchdog_interval(nullptr, own.c_str()));
}

TEST_CASE("the messages arrive at a path and at an abstract name") {
  const test::Folder folder;
  for (const std::string& name : {(folder.path / "notify").string(), "@gray-test-" + std::to_string(::getpid())}) {
    const Manager manager(name);
    asio::io_context io;
    ServiceManager service(io);
    service.reloading();
    service.reloaded(true);
    CHECK(manager.received().empty());  // it is not ready yet
    service.ready("serves");
    CHECK(manager.received() == "READY=1\nSTATUS=serves");
    service.reloading();
    CHECK(manager.received().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    service.reloaded(false);
    CHECK(manager.received() == "READY=1\nSTATUS=serves; the last reload was refused");
    service.reloading();
    CHECK(manager.received().starts_with("RELOADING=1\n"));
    service.reloaded(true);
    CHECK(manager.received() == "READY=1\nSTATUS=serves");
    service.stopping("ends");
    CHECK(manager.received() == "STOPPING=1\nSTATUS=ends");
    service.watch();
    CHECK(manager.received().empty());  // the watchdog is not requested
  }
}

TEST_CASE("readiness is announced once, and a changed status is sent") {
  const test::Folder folder;
  const Manager manager(folder.path / "notify");
  asio::io_context io;
  ServiceManager service(io);
  service.not_ready("no service can answer");
  CHECK(manager.received() == "STATUS=no service can answer");
  service.reloaded(true);
  CHECK(manager.received().empty());
  service.ready("serves");
  CHECK(manager.received() == "READY=1\nSTATUS=serves");
  service.ready("serves");
  CHECK(manager.received().empty());
  service.not_ready("no service can answer");
  CHECK(manager.received() == "READY=1\nSTATUS=no service can answer");
}

TEST_CASE("watchdog messages are sent while the loop runs") {
  const test::Folder folder;
  const Manager manager((folder.path / "notify").string());
  ::setenv("WATCHDOG_USEC", "20000", 1);
  asio::io_context io;
  ServiceManager service(io);
  service.watch();
  CHECK(manager.received() == "WATCHDOG=1");
  CHECK(manager.received().empty());
  while (io.run_one() > 0)
    if (manager.received() == "WATCHDOG=1") break;
}

TEST_CASE("a missing service manager does no harm") {
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
