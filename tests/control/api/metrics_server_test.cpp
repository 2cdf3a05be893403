#include "control/api/metrics_server.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

#include <thread>
#include <vector>

#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"
#include "tests/control/listening_port.hpp"

using namespace gray;
using namespace gray::control;

namespace {

struct Port : ListeningPort {
  std::string ask(std::string_view request) const {
    const UniqueFd client = connect();
    send_text(client.get(), request);
    return read_to_end(client.get());
  }
};

struct MetricsServerFixture {
  FakeDaemon daemon;
  Port port;

  MetricsServerFixture() {
    daemon.answer = [](const std::string& verb, const nlohmann::json&) {
      return Reply{.code = ExitCode::ok, .body = {{"text", "grayd_" + verb + " 1\n"}}, .error = {}};
    };
  }
};

constexpr const char* kScrape = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE_FIXTURE(MetricsServerFixture, "metrics are text, with or without a query") {
  MetricsServer server(port.fd.get(), daemon);
  for (const auto* request : {kScrape, "GET /metrics?x=1 HTTP/1.0\r\n\r\n"}) {
    const auto answer = port.ask(request);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(contains(answer, "text/plain; version=0.0.4"));
    CHECK(answer.ends_with("\r\n\r\ngrayd_metrics 1\n"));
  }
}

TEST_CASE_FIXTURE(MetricsServerFixture, "every other path is not found") {
  MetricsServer server(port.fd.get(), daemon);
  for (const auto* request :
       {"GET / HTTP/1.1\r\n\r\n", "GET /metricsx HTTP/1.1\r\n\r\n", "POST /metrics HTTP/1.1\r\n\r\n",
        "GET /v1/status HTTP/1.1\r\n\r\n", "GET /metrics\r\n\r\n", "\x16\x03\x01\r\n\r\n"}) {
    CAPTURE(request);
    CHECK(port.ask(request).starts_with("HTTP/1.1 404 Not Found\r\n"));
  }
  CHECK(port.ask(std::string(MetricsServer::kHead + 1, 'x')).starts_with("HTTP/1.1 431"));
  CHECK(daemon.calls == 0);
}

TEST_CASE_FIXTURE(MetricsServerFixture, "a failure of the daemon is reported") {
  daemon.answer = [](auto&&...) { return refused(ExitCode::failed, "no router"); };
  MetricsServer server(port.fd.get(), daemon);
  const auto answer = port.ask(kScrape);
  CHECK(answer.starts_with("HTTP/1.1 500"));
  CHECK(answer.ends_with("no router\n"));
}

TEST_CASE_FIXTURE(MetricsServerFixture, "requests during a pending call get its answer, and the daemon is asked once") {
  FakeDaemon::Done done;
  std::atomic<bool> asked = false;
  daemon.take = [&](FakeDaemon::Done when_done) {
    done = std::move(when_done);
    asked = true;
  };
  MetricsServer server(port.fd.get(), daemon);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(port.connect());
    send_text(clients.back().get(), kScrape);
  }
  while (!asked) std::this_thread::yield();
  done({.code = ExitCode::ok, .body = {{"text", "late 1\n"}}, .error = {}});
  for (const auto& client : clients) CHECK(read_to_end(client.get()).ends_with("late 1\n"));
  CHECK(daemon.calls == 1);
}

TEST_CASE_FIXTURE(MetricsServerFixture, "clients that say nothing are cut, and cannot keep others out") {
  MetricsServer server(port.fd.get(), daemon, [] {}, Duration{300});
  std::vector<UniqueFd> silent;
  for (std::size_t i = 0; i < 2 * MetricsServer::kClients; ++i) silent.push_back(port.connect());
  CHECK(port.ask(kScrape).starts_with("HTTP/1.1 200"));
  for (const auto& client : silent) CHECK(read_to_end(client.get()).empty());
}

TEST_CASE_FIXTURE(MetricsServerFixture, "a client that reads nothing is cut") {
  daemon.answer = [](auto&&...) {
    return Reply{.code = ExitCode::ok, .body = {{"text", std::string(4 << 20, 'x')}}, .error = {}};
  };
  TempDir dir;  // a unix socket shows at once that its other end was closed
  const UniqueFd listener = open_admin_socket(dir / "s");
  MetricsServer server(listener.get(), daemon, [] {}, Duration{300});
  const UniqueFd slow = connect_to(dir / "s");
  send_text(slow.get(), kScrape);
  pollfd entry{slow.get(), 0, 0};
  CHECK(::poll(&entry, 1, 20'000) == 1);
  CHECK((entry.revents & POLLHUP) != 0);
  CHECK(read_to_end(slow.get()).size() < (4 << 20));
}

TEST_CASE_FIXTURE(MetricsServerFixture, "it ends immediately, and a later answer has no effect") {
  FakeDaemon::Done done;
  std::atomic<bool> asked = false;
  daemon.take = [&](FakeDaemon::Done when_done) {
    done = std::move(when_done);
    asked = true;
  };
  const UniqueFd client = port.connect();
  {
    MetricsServer server(port.fd.get(), daemon);
    send_text(client.get(), kScrape);
    while (!asked) std::this_thread::yield();
  }
  done({});
  CHECK(read_to_end(client.get()).empty());
}

TEST_CASE_FIXTURE(MetricsServerFixture,
                  "after the end no connection is accepted, and the others are served or cut after a second") {
  MetricsServer server(port.fd.get(), daemon);
  const UniqueFd asking = port.connect(), silent = port.connect();
  send_text(asking.get(), "GET /met");
  send_text(silent.get(), "G");
  CHECK(port.ask(kScrape).starts_with("HTTP/1.1 200"));  // so the two before it were accepted
  server.end();
  send_text(asking.get(), "rics HTTP/1.1\r\n\r\n");
  CHECK(read_to_end(asking.get()).starts_with("HTTP/1.1 200"));
  CHECK(read_to_end(silent.get()).empty());
  const TimePoint deadline = Clock::now() + Duration(10'000);
  while (!server.ended() && Clock::now() < deadline) std::this_thread::yield();
  CHECK(server.ended());
  const UniqueFd late = port.connect();
  send_text(late.get(), kScrape);
  MetricsServer next(port.fd.get(), daemon);
  CHECK(read_to_end(late.get()).starts_with("HTTP/1.1 200"));
}

TEST_CASE_FIXTURE(MetricsServerFixture, "a new client is served though the others have much time left") {
  MetricsServer server(port.fd.get(), daemon, [] {}, Duration{600'000});
  std::vector<UniqueFd> useless;
  for (std::size_t i = 0; i < 100; ++i) useless.push_back(port.connect());
  for (std::size_t i = 0; i < 100; ++i) {
    useless.push_back(port.connect());
    send_text(useless.back().get(), "GET /met");
  }
  CHECK(port.ask(kScrape).starts_with("HTTP/1.1 200"));
  std::atomic<int> ok{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 200; ++i) callers.emplace_back([&] { ok += port.ask(kScrape).starts_with("HTTP/1.1 200"); });
  for (auto& caller : callers) caller.join();
  CHECK(ok == 200);
  CHECK(read_to_end(useless.front().get()).empty());
}

TEST_CASE_FIXTURE(MetricsServerFixture, "a head that is too long is refused with 431, whichever line is too long") {
  MetricsServer server(port.fd.get(), daemon);
  const std::string line = "GET /metrics HTTP/1.1\r\nX: ";
  const auto padded = [&](std::size_t size) { return line + std::string(size - line.size() - 4, 'x') + "\r\n\r\n"; };
  CHECK(port.ask(padded(MetricsServer::kHead)).starts_with("HTTP/1.1 200"));
  const auto answer = port.ask(line + std::string(MetricsServer::kHead + 1 - line.size(), 'x'));
  CHECK(answer.starts_with("HTTP/1.1 431"));
  CHECK(answer.ends_with("the request head is longer than 4 KiB\n"));
}

TEST_CASE_FIXTURE(MetricsServerFixture, "only GET is accepted, and the server does not wait for a body") {
  MetricsServer server(port.fd.get(), daemon);
  for (const auto* request : {"HEAD /metrics HTTP/1.1\r\n\r\n", "POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
                              "DELETE /metrics HTTP/1.1\r\n\r\n"}) {
    CAPTURE(request);
    CHECK(port.ask(request).starts_with("HTTP/1.1 404 Not Found\r\n"));
  }
  CHECK(daemon.calls == 0);
}

TEST_CASE_FIXTURE(MetricsServerFixture, "the text is complete and not compressed, whatever the client accepts") {
  MetricsServer server(port.fd.get(), daemon);
  const auto answer = port.ask("GET /metrics HTTP/1.1\r\nRange: bytes=0-3\r\nAccept-Encoding: gzip\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("\r\n\r\ngrayd_metrics 1\n"));
}

TEST_CASE_FIXTURE(MetricsServerFixture,
                  "a call that the daemon drops is reported, and the next client causes a new call") {
  daemon.take = [](FakeDaemon::Done) {};
  MetricsServer server(port.fd.get(), daemon);
  for (int asked = 1; asked <= 2; ++asked) {
    CHECK(port.ask(kScrape).starts_with("HTTP/1.1 500"));
    CHECK(daemon.calls == asked);
  }
}

TEST_CASE("an answer is reused within kFresh") {
  FakeDaemon daemon;
  FakeDaemon::Done done;
  daemon.take = [&](FakeDaemon::Done when_done) { done = std::move(when_done); };
  SharedMetrics metrics(daemon);
  const auto first = metrics.get();
  CHECK(metrics.get() == first);
  CHECK(daemon.calls == 1);
  done({});
  const TimePoint deadline = first->came_at() + Duration(10'000);
  auto next = metrics.get();
  if (next != first) CHECK(Clock::now() >= first->came_at() + SharedMetrics::kFresh);
  while (next == first && Clock::now() < deadline) next = metrics.get();
  CHECK(next != first);
  CHECK(Clock::now() >= first->came_at() + SharedMetrics::kFresh);
  CHECK(daemon.calls == 2);
}
