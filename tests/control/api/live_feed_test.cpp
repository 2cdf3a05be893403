#include "control/api/live_feed.hpp"

#include <doctest/doctest.h>

#include <semaphore>
#include <vector>

#include "control/live/event_stream.hpp"
#include "tests/control/fixture.hpp"
#include "tests/control/live/figures_of_top.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct LiveFeedFixture {
  FakeDaemon daemon;
  std::counting_semaphore<> ended{0};
  std::optional<LiveFeed> feed;

  LiveFeedFixture() {
    daemon.answer = [](const std::string& verb, const json&) {
      if (verb == "status") return Reply{ExitCode::ok, status_answer({version_answer("v1", 100)}), {}};
      return Reply{ExitCode::ok, {{"schema_version", 1}, {"last", 0}}, {}};
    };
    feed.emplace(daemon, true, [this] { ended.release(); });
  }
  UniqueFd watch() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const timeval timeout{20, 0};
    ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    auto place = feed->take(LiveFeed::Entrance::admin);
    REQUIRE(place);
    feed->add(UniqueFd(ends[1]), std::move(place));
    return UniqueFd(ends[0]);
  }
  /// The next picture; null at the end of the stream.
  static json next(const UniqueFd& fd) {
    EventStreamReader reader;
    json picture;
    char bytes[4096];
    for (ssize_t n; picture.is_null() && (n = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;)
      reader.read({bytes, static_cast<std::size_t>(n)}, [&](std::string_view data) { picture = json::parse(data); });
    return picture;
  }
};

}  // namespace

TEST_CASE_FIXTURE(LiveFeedFixture, "a watcher gets a picture at once, and more") {
  const auto fd = watch();
  const json first = next(fd), second = next(fd);
  CHECK(first["writable"] == true);
  CHECK(first["status"]["services"].size() == 1);
  CHECK(second["time_ms"] > first["time_ms"]);
}

TEST_CASE_FIXTURE(LiveFeedFixture, "one picture is made for all") {
  std::vector<UniqueFd> watchers;
  for (int i = 0; i < 10; ++i) watchers.push_back(watch());
  for (int round = 0; round < 2; ++round)
    for (const auto& fd : watchers) CHECK(next(fd).is_object());
  CHECK(daemon.calls <= 3 * 4);
}

TEST_CASE_FIXTURE(LiveFeedFixture, "places are counted for each entrance, and come back") {
  std::vector<UniqueFd> watchers;
  for (int i = 0; i < LiveFeed::kWatchers; ++i) watchers.push_back(watch());
  CHECK_FALSE(feed->take(LiveFeed::Entrance::admin));
  CHECK(feed->take(LiveFeed::Entrance::page));
  watchers.pop_back();
  const auto until = Clock::now() + Duration{20'000};
  Watchers::Place place;
  while (!place && Clock::now() < until) place = feed->take(LiveFeed::Entrance::admin);
  CHECK(place);
}

TEST_CASE_FIXTURE(LiveFeedFixture, "all streams end with the feed, and then there is no place") {
  const auto fd = watch();
  CHECK(next(fd).is_object());
  feed->end();
  while (!next(fd).is_null()) continue;
  REQUIRE(ended.try_acquire_for(Duration{20'000}));
  CHECK(feed->ended());
  CHECK_FALSE(feed->take(LiveFeed::Entrance::page));
}

TEST_CASE_FIXTURE(LiveFeedFixture, "it ends while the daemon does not answer") {
  std::atomic<int> asked{0};
  daemon.take = [&](const FakeDaemon::Done&) { ++asked; };
  const auto fd = watch();
  const auto until = Clock::now() + Duration{20'000};
  while (asked == 0 && Clock::now() < until) continue;
  feed.reset();
  CHECK(next(fd).is_null());
}
