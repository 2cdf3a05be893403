#include "control/traffic/table_builder.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::version_view;
using test::web;
using test::worker;

namespace {

struct TableBuilderFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(web());

  TableBuilderFixture() {
    for (const auto& version : settings.services[0].versions) rows.take("web", version.name);
  }
  ServiceRoute route(const State& state, const std::vector<VersionView>& views) {
    const auto table = build_table(settings, state, views, rows);
    REQUIRE(table.services.size() == 1);
    return table.services[0];
  }
};

}  // namespace

TEST_CASE_FIXTURE(TableBuilderFixture, "every configured version is in the table, up or down") {
  const auto service = route({}, {});
  REQUIRE(service.versions.size() == 3);
  CHECK(service.versions[0].name == "v1");
  CHECK(service.versions[2].row == *rows.find("web", "v3"));
  CHECK(service.versions[0].workers.empty());
  CHECK(service.stable == 0);
  CHECK(service.canary == 1u);
  CHECK(service.weight == 5);
  CHECK(service.salt == "web/v2");
}

TEST_CASE_FIXTURE(TableBuilderFixture, "a version has the health check of its workers") {
  HealthCheck& health = settings.services[0].versions[1].health;
  health.path = "/up";
  health.host = "a.example";
  health.timeout = Duration{250};
  const auto service = route({}, {});
  CHECK(service.versions[0].probe == HttpProbe{});
  CHECK(service.versions[1].probe == HttpProbe{.path = "/up", .host = "a.example"});
  CHECK(service.versions[1].probe_timeout == Duration{250});
}

TEST_CASE_FIXTURE(TableBuilderFixture, "only routable workers with an address are routed to") {
  auto homeless = worker("web@v1#2", 3, true);
  homeless.address.reset();
  const std::vector<VersionView> views = {
      version_view("v1", {worker("web@v1#0", 1, true), worker("web@v1#1", 2, false), homeless}),
      version_view("gone", {worker("web@gone#0", 4, true)})};
  const auto service = route({}, views);
  REQUIRE(service.versions[0].workers.size() == 1);
  CHECK(service.versions[0].workers[0] == WorkerRoute{1, 7, "web@v1#0", *Address::parse("127.0.0.1:9001")});
}

TEST_CASE_FIXTURE(TableBuilderFixture, "draining workers are listed with their time limit") {
  settings.services[0].versions[0].drain_timeout = Duration{4'000};
  auto leaving = worker("web@v1#1", 2, false);
  leaving.state = WorkerState::draining;
  leaving.generation = 11;
  auto sick = worker("web@v1#2", 3, false);
  sick.state = WorkerState::unhealthy;
  const auto service = route({}, {version_view("v1", {worker("web@v1#0", 1, true), leaving, sick})});
  CHECK(service.versions[0].draining == std::vector<std::uint64_t>{11});
  CHECK(service.versions[0].drain_timeout == Duration{4'000});
  CHECK(service.versions[1].draining.empty());
}

TEST_CASE_FIXTURE(TableBuilderFixture, "without a weight there is no canary") {
  const auto service = route({{"web", {"", {{"v2", 0}}, {}}}}, {});
  CHECK_FALSE(service.canary);
  CHECK(service.weight == 0);
  CHECK(service.salt.empty());
}

TEST_CASE_FIXTURE(TableBuilderFixture, "a version whose users were taken away is marked") {
  const auto service = route({{"web", {.withdrawn = {"v2"}}}}, {});
  CHECK(service.versions[1].withdrawn);
  CHECK_FALSE(service.versions[0].withdrawn);
}

TEST_CASE_FIXTURE(TableBuilderFixture, "stable and canary follow the state") {
  const auto service = route({{"web", {"v3", {{"v1", 25}}, {{"v1", "again"}}}}}, {});
  CHECK(service.stable == 2);
  CHECK(service.canary == 0u);
  CHECK(service.weight == 25);
  CHECK(service.salt == "again");
}

TEST_CASE_FIXTURE(TableBuilderFixture, "the routing settings of the service are copied") {
  auto& service = settings.services[0];
  service.hosts = {"example.com"};
  service.paths = {"/api"};
  service.param = "version";
  service.header = "x-version";
  service.cookie = "gray";
  service.override_from = {*Cidr::parse("10.0.0.0/8")};
  service.identity = {{IdentitySource::Kind::cookie, "uid"}};
  service.affinity = true;
  service.expose = Expose::decision;
  service.pin = false;
  service.assets = {"/assets"};
  service.limits.queue = 3;
  const auto front = route({}, {});
  CHECK(front.hosts == service.hosts);
  CHECK(front.paths == service.paths);
  CHECK(front.param == "version");
  CHECK(front.header == "x-version");
  CHECK(front.cookie == "gray");
  CHECK(front.override_from == service.override_from);
  CHECK(front.identity == service.identity);
  CHECK(front.affinity);
  CHECK(front.expose == Expose::decision);
  CHECK_FALSE(front.pin);
  CHECK(front.assets == service.assets);
  CHECK(front.limits.queue == 3);
}

TEST_CASE_FIXTURE(TableBuilderFixture, "a version takes targeted users while it runs and they were not taken away") {
  const auto service = route({{"web", {.stopped = {"v2"}, .withdrawn = {"v3"}}}}, {});
  CHECK(service.versions[0].targeted);
  CHECK_FALSE(service.versions[1].targeted);
  CHECK_FALSE(service.versions[2].targeted);
}

TEST_CASE_FIXTURE(TableBuilderFixture, "an allowlist is in the table only with its users") {
  settings.services[0].allowlist = {"v2", 1, 5};
  CHECK(route({}, {}).allowlist == AllowlistRef{});
  settings.services[0].allowlist_source.table = std::make_shared<const Allowlist>(std::vector<std::uint64_t>{5});
  CHECK(route({}, {}).allowlist == AllowlistRef{"v2", 1, 5});
}
