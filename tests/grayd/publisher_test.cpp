#include "grayd/publisher.hpp"

#include <doctest/doctest.h>

#include "tests/grayd/settings_support.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct PublisherFixture {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  LiveState live{{}};
  Routers routers{io, segment, {}, {}, 0, {}};
  Publisher publisher{settings, live, rows, routers, 7};

  PublisherFixture() {
    for (const auto& version : settings.services[0].versions) rows.take("web", version.name);
  }
};

}  // namespace

TEST_CASE_FIXTURE(PublisherFixture, "a table is numbered only when it says something new") {
  CHECK(publisher.number() == 0);
  CHECK(publisher.publish({}) == 1);
  CHECK(publisher.publish({}) == 1);
  const std::vector<VersionView> up = {test::version_view("v1", {test::worker("web@v1#0", 1, true)})};
  CHECK(publisher.publish(up) == 2);
  CHECK(publisher.publish(up) == 2);
  CHECK(publisher.publish({}) == 3);
}

TEST_CASE_FIXTURE(PublisherFixture, "a shift is published once it may be") {
  publisher.publish({});
  const auto ticket = live.want("web", {"", {{"v2", 50}}, ""});
  CHECK(publisher.publish({}) == 1);
  live.publish("web", ticket);
  CHECK(publisher.publish({}) == 2);
}

TEST_CASE_FIXTURE(PublisherFixture, "without routers every table is settled") {
  publisher.publish({});
  CHECK(publisher.settled());
}
