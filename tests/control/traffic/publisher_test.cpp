#include "control/traffic/publisher.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;

namespace {

struct Receivers final : TableReceivers {
  std::vector<std::uint64_t> numbers;
  std::vector<std::shared_ptr<const Allowlist>> lists;
  std::uint64_t applied = 0;

  void publish(const RoutingTable& table, const std::vector<std::shared_ptr<const Allowlist>>& all) override {
    numbers.push_back(table.number);
    lists = all;
  }
  bool all_applied(std::uint64_t number) const override { return applied >= number; }
};

struct PublisherFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  LiveState live{{}};
  Receivers routers;
  Publisher publisher{settings, live, rows, routers, 7};

  PublisherFixture() {
    for (const auto& version : settings.services[0].versions) rows.take("web", version.name);
  }
};

}  // namespace

TEST_CASE_FIXTURE(PublisherFixture, "a table gets a number only when its content is new") {
  CHECK(publisher.number() == 0);
  CHECK(publisher.publish({}) == 1);
  CHECK(publisher.publish({}) == 1);
  const std::vector<VersionView> up = {test::version_view("v1", {test::worker("web@v1#0", 1, true)})};
  CHECK(publisher.publish(up) == 2);
  CHECK(publisher.publish(up) == 2);
  CHECK(publisher.publish({}) == 3);
}

TEST_CASE_FIXTURE(PublisherFixture, "a shift is published once it is allowed to be") {
  publisher.publish({});
  const auto ticket = live.want("web", {"", {{"v2", 50}}, {}}, {});
  CHECK(publisher.publish({}) == 1);
  live.publish("web", ticket);
  CHECK(publisher.publish({}) == 2);
}

TEST_CASE_FIXTURE(PublisherFixture, "every table is sent once, and settled when all routers have it") {
  publisher.publish({});
  publisher.publish({});
  CHECK(routers.numbers == std::vector<std::uint64_t>{1});
  CHECK_FALSE(publisher.settled());
  routers.applied = 1;
  CHECK(publisher.settled());
}

TEST_CASE_FIXTURE(PublisherFixture, "a table goes out with the allowlists of its services, in their order") {
  publisher.publish({});
  CHECK(routers.lists.empty());
  const auto list = std::make_shared<const Allowlist>(std::vector<std::uint64_t>{5, 6});
  settings.services.insert(settings.services.begin(), test::web());
  settings.services[0].name = "api";
  settings.services[1].allowlist = {"canary", list->count(), list->digest()};
  settings.services[1].allowlist_source.table = list;
  CHECK(publisher.publish({}) == 2);
  CHECK(routers.lists == std::vector<std::shared_ptr<const Allowlist>>{list});
  settings.services[1].allowlist.digest = 7;
  CHECK(publisher.publish({}) == 3);
}
