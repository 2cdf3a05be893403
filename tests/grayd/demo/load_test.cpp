#include "grayd/demo/load.hpp"

#include <doctest/doctest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

#include "grayd/demo/demo_plan.hpp"
#include "grayd/demo/own_listener.hpp"

using namespace gray;

namespace {

/// A service that fails for every user with an even number.
struct Service {
  httplib::Server server;
  int port = 0;
  std::thread thread;
  std::atomic<int> without_user{0};

  Service() {
    server.new_task_queue = [] { return new httplib::ThreadPool(demo::kConnections + 1); };
    server.set_keep_alive_timeout(1);
    server.Get("/", [this](const auto& request, auto& response) {
      const std::string cookie = request.get_header_value("Cookie");
      if (!cookie.starts_with("uid=")) {
        ++without_user;
        return;
      }
      response.status = std::stoi(cookie.substr(4)) % 2 == 0 ? 500 : 200;
      response.set_header("X-Gray-Version", response.status == 200 ? "v1" : "v2");
    });
    port = server.bind_to_any_port("127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
  }
  ~Service() {
    server.stop();
    thread.join();
  }
};

}  // namespace

TEST_CASE("users ask with their cookie, and what they meet is counted by version") {
  Service service;
  const demo::Load load(static_cast<std::uint16_t>(service.port));
  const TimePoint limit = Clock::now() + Duration{20'000};
  while (load.tally().requests() < 30 && Clock::now() < limit) std::this_thread::yield();
  const demo::Tally tally = load.tally();
  REQUIRE(tally.requests() >= 30);
  CHECK(tally.of("v1").failed.requests == 0);
  CHECK(tally.of("v2").failed.requests == tally.of("v2").requests);
  CHECK(tally.of("v1").requests + tally.of("v2").requests == tally.requests());
  CHECK(tally.of("v2").failed.users.size() > 1);
  CHECK(service.without_user == 0);
}

TEST_CASE("without a service nothing is counted, and the end does not wait for it") {
  std::uint16_t port = 0;
  {
    port = demo::open_listener(0).port;
  }
  const TimePoint begin = Clock::now();
  {
    const demo::Load load(port);
  }
  CHECK(Clock::now() - begin < Duration{10'000});
}
