// Over a port, with the threads of the server.
#include "control/dashboard/dashboard_server.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/control/fixture.hpp"
#include "tests/control/listening_port.hpp"
#include "tests/control/live/figures_of_top.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct PagePort : ListeningPort {
  UniqueFd ask(std::string_view request) const {
    UniqueFd client = connect();
    send_text(client.get(), request);
    return client;
  }
};

struct DashboardServerFixture {
  FakeDaemon daemon;
  PagePort port;
  LiveFeed feed{daemon, true};
  std::optional<DashboardServer> server;

  DashboardServerFixture() {
    daemon.answer = [](const std::string& verb, const json&) {
      if (verb == "status") return Reply{ExitCode::ok, status_answer({version_answer("v1", 100)}), {}};
      return Reply{ExitCode::ok, {{"schema_version", 1}, {"last", 0}}, {}};
    };
    server.emplace(port.fd.get(), daemon, feed, true, [] {}, PageFiles{"<p>", "gz", "default-src 'none'"});
  }
};

constexpr const char* kStream = "GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

}  // namespace

TEST_CASE_FIXTURE(DashboardServerFixture, "many streams leave the threads free") {
  std::vector<UniqueFd> streams;
  for (int i = 0; i < LiveFeed::kWatchers; ++i) {
    streams.push_back(port.ask(kStream));
    char bytes[512];
    const auto n = ::recv(streams.back().get(), bytes, sizeof bytes, 0);
    REQUIRE(n > 0);
    CHECK(std::string(bytes, static_cast<std::size_t>(n)).starts_with("HTTP/1.1 200 OK\r\n"));
  }
  CHECK(contains(read_to_end(port.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").get()), "<p>"));
  CHECK(contains(read_to_end(port.ask(kStream).get()), "503"));
}

TEST_CASE_FIXTURE(DashboardServerFixture, "a change has the address of the client") {
  const auto client = port.ask(
      "POST /v1/undo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Grayd: page\r\n"
      "Content-Length: 17\r\n\r\n{\"service\":\"web\"}");
  CHECK(contains(read_to_end(client.get()), "200 OK"));
  CHECK(daemon.peer["page"] == "127.0.0.1");
}

TEST_CASE_FIXTURE(DashboardServerFixture, "it ends with clients that say nothing, and streams end with the feed") {
  const auto silent = port.ask(""), stream = port.ask(kStream);
  feed.end();
  server.reset();
  CHECK(read_to_end(silent.get()).empty());
  read_to_end(stream.get());
}
