#include "control/report/warnings.hpp"

#include <doctest/doctest.h>

#include "control/report/status_report.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;

namespace {

struct WarningsFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  Settings settings = test::settings_of(test::web());
  State state;
  std::vector<VersionView> views = {test::version_view("v1", {test::worker("web@v1#0", 1, true)})};
  std::string untrusted_proxy;

  ListenerView& listener() { return views[0].workers[0].listener; }
  std::vector<Warning> all() {
    return warnings({.settings = settings,
                     .state = state,
                     .rows = rows,
                     .layout = *segment,
                     .views = views,
                     .resident_bytes = test::a_kilobyte,
                     .untrusted_proxy = untrusted_proxy});
  }
};

}  // namespace

TEST_CASE_FIXTURE(WarningsFixture, "a state without faults has no warnings") {
  CHECK(all().empty());
  listener().backlog = 64;  // as many as max_sockets
  CHECK(all().empty());
}

TEST_CASE_FIXTURE(WarningsFixture, "a proxy that is not trusted is named, with the key, until it is trusted") {
  untrusted_proxy = "10.0.0.7";
  REQUIRE(all().size() == 1);
  CHECK(all()[0].cause == "trusted-proxies");
  CHECK(
      all()[0].text ==
      "the peer 10.0.0.7 sends X-Forwarded-* or Forwarded, but is not trusted, so all its users count as one: if it is "
      "your proxy, add \"10.0.0.7\" to router.trusted_proxies");
  settings.router.trusted_proxies = {*Cidr::parse("192.168.0.0/16")};
  CHECK(all().size() == 1);
  settings.router.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  CHECK(all().empty());
  untrusted_proxy = "unix";
  REQUIRE(all().size() == 1);
  CHECK(all()[0].text.starts_with("a peer over a unix listener sends"));
  CHECK(all()[0].text.ends_with("add \"unix\" to router.trusted_proxies"));
  settings.router.trusts_unix_peers = true;
  CHECK(all().empty());
}

TEST_CASE_FIXTURE(WarningsFixture, "a backlog below max_sockets is named, by the first worker that has one") {
  listener().backlog = 5;
  views[0].workers.push_back(test::worker("web@v1#1", 2, true));
  views[0].workers[1].listener.backlog = 5;
  REQUIRE(all().size() == 1);
  CHECK(all()[0].cause == "listen-backlog");
  CHECK(all()[0].service == "web");
  CHECK(all()[0].version == "v1");
  CHECK(
      all()[0].text ==
      "worker web@v1#0 listens with a backlog of 5, but may get max_sockets = 64 connections at once: under load some "
      "wait for seconds; raise the backlog of the program, or lower max_sockets");
  settings.services[0].limits.max_sockets = 5;
  CHECK(all().empty());
}

TEST_CASE_FIXTURE(WarningsFixture, "a worker that listens on every interface is named with its port") {
  listener().everywhere = true;
  REQUIRE(all().size() == 1);
  CHECK(all()[0].cause == "open-listener");
  CHECK(all()[0].text ==
        "worker web@v1#0 listens on every interface, port 9001: it can be reached without the router; let the program "
        "bind to HOST, or use listen = \"unix\"");
  views[0].workers[0].pid = 0;
  CHECK(all().empty());
}

TEST_CASE_FIXTURE(WarningsFixture, "requests that did not get the worker of their user are counted in a warning") {
  const auto row = *rows.take("web", "v1");
  segment::writable_row(*segment, 0, 1, row).affinity_spills = 7;
  CHECK(all().empty());
  settings.services[0].affinity = true;
  REQUIRE(all().size() == 1);
  CHECK(all()[0].cause == "affinity-spills");
  CHECK(all()[0].text ==
        "7 requests did not get the worker of their user, because its max_sockets = 64 were in use for queue_timeout: "
        "raise max_sockets");
}

TEST_CASE_FIXTURE(WarningsFixture, "a rule or an allowlist that names no version is named until there is one") {
  ServiceSettings& web = settings.services[0];
  web.rules = {Rule{.name = "a", .version = "stable"}, Rule{.name = "b", .version = "v9"},
               Rule{.name = "c", .version = "v8"}};
  REQUIRE(all().size() == 1);
  CHECK(all()[0].cause == "unknown-target");
  CHECK(all()[0].version == "v9");
  CHECK(all()[0].text ==
        "the rule \"b\" names v9: there is no version v9 of web; until it is deployed, nobody is chosen for it");
  web.allowlist = {"v7", 3, 1};
  REQUIRE(all().size() == 1);
  CHECK(all()[0].text.starts_with("the allowlist names v7: there is no version v7"));
  web.allowlist.version = "canary";
  web.versions.push_back(test::version_named("v9"));
  web.versions.push_back(test::version_named("v8"));
  CHECK(all().empty());
}
