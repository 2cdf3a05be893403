#include "grayd/control_endpoints.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <semaphore>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct Echo final : control::Daemon {
  void call(std::string verb, nlohmann::json, std::function<void(control::Reply)> done) override {
    done({ExitCode::ok, {{"verb", verb}}, {}});
  }
};

struct ControlEndpointsFixture {
  test::Folder folder;
  Settings settings = test::settings_of(test::web());
  Echo echo;
  std::optional<Holdings> holdings;

  ControlEndpointsFixture() {
    settings.state_dir = folder.path / "state";
    settings.access_log.clear();
    settings.admin = folder.path / "admin.sock";
    settings.listen = {};
    settings.metrics = "127.0.0.1:0";
    settings.dashboard = "127.0.0.1:0";
    holdings.emplace(settings, ActivatedSockets{});
    endpoints.emplace(settings, *holdings, echo, [this] { ended.release(); });
  }
  UniqueFd ask(std::string_view request = "GET /v1/status HTTP/1.1\r\n\r\n") const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval timeout{20, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, settings.admin.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
    return fd;
  }
  static std::string answer(const UniqueFd& fd) {
    char chunk[1024];
    const auto got = ::recv(fd.get(), chunk, sizeof chunk, 0);
    return {chunk, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  std::counting_semaphore<> ended{0};
  std::optional<ControlEndpoints> endpoints;
};

}  // namespace

TEST_CASE_FIXTURE(ControlEndpointsFixture,
                  "callers that connect while the endpoints are closed wait until they open again") {
  endpoints->open();
  CHECK(answer(ask()).starts_with("HTTP/1.1 200"));
  CHECK_FALSE(endpoints->empty());
  endpoints->close();
  for (int endpoint = 0; endpoint < 4; ++endpoint) REQUIRE(ended.try_acquire_for(Duration{20'000}));
  CHECK(endpoints->empty());
  const auto waiting = ask();
  char byte = 0;
  CHECK(::recv(waiting.get(), &byte, 1, MSG_DONTWAIT) < 0);
  endpoints->open();
  endpoints->open();
  CHECK(answer(waiting).starts_with("HTTP/1.1 200"));
  endpoints->remove();
  CHECK(endpoints->empty());
}

TEST_CASE_FIXTURE(ControlEndpointsFixture, "who watches does not hold up the end, and watches again after it") {
  endpoints->open();
  const auto watcher = ask("GET /v1/live HTTP/1.1\r\n\r\n");
  CHECK(answer(watcher).starts_with("HTTP/1.1 200"));
  endpoints->close();
  for (int endpoint = 0; endpoint < 4; ++endpoint) REQUIRE(ended.try_acquire_for(Duration{20'000}));
  while (!answer(watcher).empty()) continue;
  endpoints->open();
  CHECK(answer(ask("GET /v1/live HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 200"));
}

TEST_CASE_FIXTURE(ControlEndpointsFixture, "endpoints that were never open are empty, and can be closed") {
  endpoints->close();
  CHECK(endpoints->empty());
}
