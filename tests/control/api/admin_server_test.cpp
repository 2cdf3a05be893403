#include "control/api/admin_server.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "config/base/time.hpp"
#include "control/api/admin_socket.hpp"
#include "control/grayctl/client.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

constexpr const char* kStatus = "GET /v1/status HTTP/1.1\r\n\r\n";

struct AdminServerServed {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
};

/// A daemon that never answers but keeps the calls.
void hang(FakeDaemon& daemon, std::vector<FakeDaemon::Done>& kept) {
  daemon.take = [&kept, guard = std::make_shared<std::mutex>()](FakeDaemon::Done done) {
    std::lock_guard lock(*guard);
    kept.push_back(std::move(done));
  };
}

}  // namespace

TEST_CASE("fifty status calls at once are all answered") {
  AdminServerServed served;
  AdminServer server(served.listener.get(), served.daemon);
  std::atomic<int> ok{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 50; ++i)
    callers.emplace_back([&] { ok += Client(served.path).get("status").code == ExitCode::ok; });
  for (auto& caller : callers) caller.join();
  CHECK(ok == 50);
  CHECK(served.daemon.calls == 50);
}

TEST_CASE("the listener outlives the server, and connections that wait in it are served by the next one") {
  AdminServerServed served;
  {
    AdminServer first(served.listener.get(), served.daemon);
  }
  UniqueFd early = connect_to(served.path);
  REQUIRE(early);
  send_text(early.get(), kStatus);
  AdminServer second(served.listener.get(), served.daemon);
  CHECK(contains(read_to_end(early.get()), "200 OK"));
}

TEST_CASE("garbage and silent connections do not block the next caller") {
  AdminServerServed served;
  AdminServer server(served.listener.get(), served.daemon);
  CHECK(contains(talk(served.path, std::string(3000, '\xff') + "\r\n\r\n"), "400"));
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 7; ++i) silent.push_back(connect_to(served.path));
  CHECK(contains(talk(served.path, kStatus), "200 OK"));
}

TEST_CASE("two hundred callers that send nothing or half a request delay nobody") {
  AdminServerServed served;
  AdminServer server(served.listener.get(), served.daemon);
  std::vector<UniqueFd> useless;
  for (int i = 0; i < 100; ++i) useless.push_back(connect_to(served.path));
  for (int i = 0; i < 50; ++i) {
    useless.push_back(connect_to(served.path));
    send_text(useless.back().get(), "GET /v1/sta");
    useless.push_back(connect_to(served.path));
    send_text(useless.back().get(), "POST /v1/reload HTTP/1.1\r\nContent-Length: 9\r\n\r\n{");
  }
  Duration least{10'000};
  for (int i = 0; i < 5; ++i) {
    const TimePoint begin = Clock::now();
    CHECK(contains(talk(served.path, kStatus), "200 OK"));
    least = std::min(least, std::chrono::duration_cast<Duration>(Clock::now() - begin));
  }
  CHECK(least < Duration{200});
  std::atomic<int> ok{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 200; ++i)
    callers.emplace_back([&] { ok += Client(served.path).get("status").code == ExitCode::ok; });
  for (auto& caller : callers) caller.join();
  CHECK(ok == 200);
}

TEST_CASE("callers whose bodies are late leave threads for others") {
  AdminServerServed served;
  AdminServer server(served.listener.get(), served.daemon);
  std::vector<UniqueFd> late;
  for (int i = 0; i < 100; ++i) {
    late.push_back(connect_to(served.path));
    send_text(late.back().get(), "POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1");
  }
  CHECK(contains(talk(served.path, kStatus), "200 OK"));
}

TEST_CASE("calls in progress are cut a second after the end began") {
  AdminServerServed served;
  std::vector<FakeDaemon::Done> kept;
  hang(served.daemon, kept);
  auto server = std::make_unique<AdminServer>(served.listener.get(), served.daemon);
  UniqueFd caller = connect_to(served.path);
  send_text(caller.get(), kStatus);
  const TimePoint deadline = Clock::now() + Duration(10'000);
  while (served.daemon.calls == 0 && Clock::now() < deadline) std::this_thread::yield();
  const TimePoint begin = Clock::now();
  server.reset();
  CHECK(Clock::now() - begin < Duration(5'000));
  CHECK(contains(read_to_end(caller.get()), "status: grayd is stopping"));
  for (auto& done : kept) done({});
}

TEST_CASE("descriptors too large for select() are served") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit raised = before;
  raised.rlim_cur = std::min<rlim_t>(before.rlim_max, 4096);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &raised) == 0);
  REQUIRE(raised.rlim_cur > 1100);
  {
    AdminServerServed served;
    AdminServer server(served.listener.get(), served.daemon);
    std::vector<UniqueFd> fill;
    do fill.emplace_back(::dup(served.listener.get()));
    while (fill.back().get() < 1040);
    CHECK(contains(talk(served.path, kStatus), "200 OK"));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE(
    "after the end no connection is accepted, calls in progress are answered, and the next server serves those that "
    "waited") {
  AdminServerServed served;
  std::promise<FakeDaemon::Done> taken;
  served.daemon.take = [&](FakeDaemon::Done done) { taken.set_value(std::move(done)); };
  auto server = std::make_unique<AdminServer>(served.listener.get(), served.daemon);
  UniqueFd caller = connect_to(served.path);
  send_text(caller.get(), kStatus);
  const TimePoint deadline = Clock::now() + Duration(10'000);
  const FakeDaemon::Done answer = taken.get_future().get();
  server->end();
  server->end();
  CHECK_FALSE(server->ended());
  UniqueFd late = connect_to(served.path);
  send_text(late.get(), kStatus);
  answer({ExitCode::ok, nlohmann::json::object(), {}});
  CHECK(contains(read_to_end(caller.get()), "200 OK"));
  while (!server->ended() && Clock::now() < deadline) std::this_thread::yield();
  CHECK(server->ended());
  CHECK(served.daemon.calls == 1);
  server.reset();
  served.daemon.take = nullptr;
  AdminServer next(served.listener.get(), served.daemon);
  CHECK(contains(read_to_end(late.get()), "200 OK"));
}
