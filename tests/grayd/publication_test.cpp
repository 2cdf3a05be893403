#include "grayd/publication.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct PublicationFixture : Publication::Listener, control::TableReceivers {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  control::Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  control::LiveState live{{}};
  supervisor::FakeHost host{io};
  supervisor::Supervisor workers{io, host, "publication_test"};
  control::Publisher publisher{settings, live, rows, *this, 7};
  std::optional<Publication> publication;
  int calls = 0;
  std::vector<std::uint64_t> sent;
  std::uint64_t applied = 0;

  PublicationFixture() {
    for (const auto& version : settings.services[0].versions) rows.take("web", version.name);
    publication.emplace(Publication::Dependencies{io, settings, workers, rows, publisher, *this});
  }
  void published(const std::vector<VersionView>&) override { ++calls; }
  void publish(const RoutingTable& table, const std::vector<std::shared_ptr<const Allowlist>>&) override {
    sent.push_back(table.number);
  }
  bool all_applied(std::uint64_t number) const override { return applied >= number; }
};

}  // namespace

TEST_CASE_FIXTURE(PublicationFixture, "all changes of a turn of the loop make one table") {
  publication->soon();
  publication->soon();
  CHECK(sent.empty());
  io.poll();
  CHECK(sent == std::vector<std::uint64_t>{1});
  CHECK(calls == 1);
}

TEST_CASE_FIXTURE(PublicationFixture, "what was published at once is not published again at the end of the turn") {
  publication->soon();
  publication->now();
  publication->flush();
  io.poll();
  CHECK(calls == 1);
  CHECK(publication->newest().number == 1);
}

TEST_CASE_FIXTURE(PublicationFixture,
                  "it is settled when nothing waits to be published and all routers have the newest table") {
  publication->now();
  CHECK_FALSE(publication->settled());
  applied = 1;
  CHECK(publication->settled());
  publication->soon();
  CHECK_FALSE(publication->settled());
}

TEST_CASE_FIXTURE(PublicationFixture, "the row of a version that was removed from the settings is released") {
  settings.services[0].versions.pop_back();
  publication->now();
  CHECK(rows.find("web", "v2"));
  CHECK_FALSE(rows.find("web", "v3"));
}

TEST_CASE_FIXTURE(PublicationFixture, "a turn after the destructor publishes nothing") {
  publication->soon();
  publication.reset();
  io.poll();
  CHECK(calls == 0);
}

TEST_CASE_FIXTURE(PublicationFixture, "many changes in a row do not make a table each, and the last one is published") {
  publication->now();
  const TimePoint end = Clock::now() + Publication::kLongestWait;
  int changes = 0;
  for (; Clock::now() < end && changes < 100'000; ++changes) {
    publication->soon();
    io.restart();
    io.poll();
  }
  publication->soon();
  applied = UINT64_MAX;  // only a pending change keeps it from being settled
  CHECK_FALSE(publication->settled());
  io.restart();
  while (!publication->settled()) io.run_one();
  CHECK(publication->newest().number >= 1);
  CHECK(calls >= 2);
  CHECK(changes > calls);
}

TEST_CASE("the next table waits ten times as long as the last one took, but not for long") {
  const TimePoint begin{std::chrono::hours{1}};
  const Duration longest = Publication::kLongestWait;
  CHECK(Publication::next_after(begin, begin) == begin);
  CHECK(Publication::next_after(begin, begin + Duration{2}) == begin + Duration{22});
  CHECK(Publication::next_after(begin, begin + Duration{7}) == begin + Duration{7} + longest);
}
