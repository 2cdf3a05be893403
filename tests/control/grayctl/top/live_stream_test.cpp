#include "control/grayctl/top/live_stream.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <optional>

#include "tests/control/grayctl/served.hpp"
#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct StreamServed {
  TempDir dir;
  std::string path = dir / "s";
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  std::optional<LiveFeed> feed;
  std::optional<AdminServer> server;

  StreamServed() {
    daemon.answer = [](const std::string& verb, const json&) {
      if (verb == "status") return Reply{ExitCode::ok, status_answer({version_answer("v1", 100)}), {}};
      return Reply{ExitCode::ok, {{"schema_version", 1}, {"last", 0}}, {}};
    };
    open();
  }
  void open() {
    feed.emplace(daemon, false);
    server.emplace(listener.get(), daemon, [] {}, &*feed);
  }
  void close() {
    server.reset();
    feed.reset();
  }
  static LiveStream::News next(LiveStream& stream) {
    pollfd bell{stream.fd(), POLLIN, 0};
    REQUIRE(::poll(&bell, 1, 20'000) == 1);
    return stream.take();
  }
};

}  // namespace

TEST_CASE_FIXTURE(StreamServed, "pictures come as long as grayd sends them, and again when it is back") {
  LiveStream stream(path);
  for (int i = 0; i < 2; ++i) {
    const auto news = next(stream);
    REQUIRE(news.picture);
    CHECK((*news.picture)["status"]["version"] == "1.2.3");
    CHECK(news.failure.code == ExitCode::ok);
  }
  close();
  LiveStream::News news;
  while (news.failure.code == ExitCode::ok) news = next(stream);
  CHECK(news.failure.error.find("has ended the stream") != std::string::npos);
  open();
  while (!news.picture) news = next(stream);
  CHECK(news.failure.code == ExitCode::ok);
}

TEST_CASE_FIXTURE(StreamServed, "a grayd that is not there, or sends nothing, is a failure") {
  LiveStream nowhere(dir / "nothing");
  CHECK(next(nowhere).failure.code == ExitCode::no_daemon);
  daemon.take = [](const FakeDaemon::Done&) {};
  LiveStream silent(path);
  CHECK(next(silent).failure.code == ExitCode::timeout);
}

TEST_CASE_FIXTURE(StreamServed, "it can be given up at any moment") {
  daemon.take = [](const FakeDaemon::Done&) {};
  const auto begin = Clock::now();
  for (int i = 0; i < 20; ++i) LiveStream stream(path);
  CHECK(Clock::now() - begin < LiveStream::kSilence * 10);
}

}  // namespace gray::control
