// The route on the admin socket, through the whole server.
#include "control/api/live_request.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"
#include "tests/control/live/figures_of_top.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

constexpr const char* kWatch = "GET /v1/live HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";

struct LiveRequestFixture {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  LiveFeed feed{daemon, false};
  std::optional<AdminServer> server;

  LiveRequestFixture() {
    daemon.answer = [](const std::string& verb, const json&) {
      if (verb == "status") return Reply{ExitCode::ok, status_answer({version_answer("v1", 100)}), {}};
      return Reply{ExitCode::ok, {{"schema_version", 1}, {"last", 0}}, {}};
    };
    server.emplace(listener.get(), daemon, [] {}, &feed);
  }
  UniqueFd ask(const char* request) const {
    auto fd = connect_to(path);
    send_text(fd.get(), request);
    return fd;
  }
  static std::string until(const UniqueFd& fd, std::string_view part) {
    std::string text;
    char bytes[4096];
    while (!contains(text, part)) {
      const auto n = ::recv(fd.get(), bytes, sizeof bytes, 0);
      if (n <= 0) break;
      text.append(bytes, static_cast<std::size_t>(n));
    }
    return text;
  }
};

}  // namespace

TEST_CASE_FIXTURE(LiveRequestFixture, "a stream has a head and events, and occupies no thread") {
  std::vector<UniqueFd> streams;
  for (int i = 0; i < 20; ++i) {
    streams.push_back(ask(kWatch));
    const auto text = until(streams.back(), "\n\n");
    CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(contains(text, "Content-Type: text/event-stream\r\n"));
    CHECK(contains(text, "Cache-Control: no-store\r\n"));
    CHECK(contains(text, "\r\n\r\nid: "));
  }
  CHECK(contains(talk(path, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK"));
}

TEST_CASE_FIXTURE(LiveRequestFixture, "one watcher too many is refused with a sentence") {
  std::vector<UniqueFd> streams;
  for (int i = 0; i < LiveFeed::kWatchers; ++i) {
    streams.push_back(ask(kWatch));
    CHECK(contains(until(streams.back(), "\r\n\r\n"), "200 OK"));
  }
  constexpr const char* kPlain = "GET /v1/live HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto refused = talk(path, kPlain);
  CHECK(refused.starts_with("HTTP/1.1 503"));
  CHECK(contains(refused, "32 watchers are connected already"));
  feed.end();
  CHECK(contains(talk(path, kPlain), "grayd is stopping"));
}

TEST_CASE_FIXTURE(LiveRequestFixture, "HEAD has the head only") {
  const auto answer = talk(path, "HEAD /v1/live HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("\r\n\r\n"));
}
