#include "control/commands/reload.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::settings_of;
using test::version_view;
using test::web;

TEST_CASE("the live state has the shifted weights and the running versions") {
  auto stopped = version_view("v3", {});
  stopped.state = VersionState::stopped;
  const auto live = live_services(settings_of(web()), {{"web", {"", {{"v2", 20}}, {}}}},
                                  {version_view("v1", {test::worker("a", 0, true)}), stopped});
  REQUIRE(live.size() == 1);
  CHECK(live[0].stable == "v1");
  REQUIRE(live[0].versions.size() == 3);
  CHECK(live[0].versions[0].weight == 80);
  CHECK(live[0].versions[0].serving);
  CHECK(live[0].versions[1].weight == 20);
  CHECK_FALSE(live[0].versions[1].serving);
  CHECK_FALSE(live[0].versions[2].serving);
}

TEST_CASE("a reload moves no user: the weight and stable version of the old file stay in force") {
  auto fresh = web();
  fresh.stable = "v3";
  fresh.versions[1].weight = 60;
  const auto after = state_after({}, settings_of(web()), settings_of(fresh));
  CHECK(after == State{{"web", {"v1", {{"v2", 5}}, {}}}});
}

TEST_CASE("shifted weights stay, and removed versions are dropped") {
  auto fresh = web();
  fresh.versions[1].weight = 60;
  fresh.versions.pop_back();
  const auto after = state_after({{"web", {"", {{"v2", 7}, {"v3", 0}}, {}}}, {"api", {"v1", {}, {}}}},
                                 settings_of(web()), settings_of(fresh));
  CHECK(after == State{{"web", {"", {{"v2", 7}}, {}}}});
}

TEST_CASE("a stopped version stays stopped as long as it is configured") {
  auto fresh = web();
  fresh.versions.pop_back();
  const auto after = state_after({{"web", {.stopped = {"v2", "v3"}}}}, settings_of(web()), settings_of(fresh));
  CHECK(after == State{{"web", {.stopped = {"v2"}}}});
}

TEST_CASE("a reload that changes no weight leaves no state") {
  CHECK(state_after({}, settings_of(web()), settings_of(web())).empty());
}

TEST_CASE("every change has a text") {
  using Kind = Change::Kind;
  for (const auto kind : {Kind::router, Kind::memory, Kind::certificates, Kind::add_service, Kind::add_version,
                          Kind::restart_version, Kind::update_version, Kind::resize_version, Kind::reroute_service,
                          Kind::remove_version, Kind::remove_service}) {
    CHECK_FALSE(text_of({kind, "web", "v2"}).empty());
  }
  CHECK(text_of({Kind::restart_version, "web", "v2"}) == "version web v2: rolling restart");
  for (const auto kind : {Kind::restart_version, Kind::update_version, Kind::resize_version})
    CHECK(text_of({kind, "web", "v2"}, true) == "version web v2: changed; takes effect at its next start");
  CHECK(text_of({Kind::remove_version, "web", "v2"}, true) == "version web v2: drains and ends");
  CHECK(text_of({Kind::add_version, "web", "v2"}) == "version web v2: started");
  CHECK(text_of({Kind::add_version, "web", "v2"}, true) ==
        "version web v2: added; it is stopped: grayctl start web v2");
}

TEST_CASE("the event of a reload has its changes, or the reason of the refusal") {
  const Reply done{ExitCode::ok, {{"changes", {"version web v2: started", "service web: new routing"}}}, {}};
  CHECK(reload_event(done, "/g.toml").kind == EventKind::reloaded);
  CHECK(reload_event(done, "/g.toml").text == "version web v2: started; service web: new routing");
  CHECK(reload_event({ExitCode::ok, nlohmann::json::object(), {}}, "/g.toml").text == "/g.toml has no changes");
  const auto refused = reload_event({ExitCode::bad_config, {}, "g.toml:1:2: error: x\n  | y\n"}, "/g.toml");
  CHECK(refused.kind == EventKind::reload_refused);
  CHECK(refused.cause == "bad-config");
  CHECK(refused.text == "g.toml:1:2: error: x");
}

TEST_CASE("the log gets one line for each warning of a reload") {
  CHECK(warning_lines({ExitCode::conflict, {}, "why"}).empty());
  CHECK(warning_lines({ExitCode::ok, {{"changes", nlohmann::json::array()}, {"warnings", ""}}, {}}).empty());
  const Reply reply{ExitCode::ok, {{"warnings", "g:1:2: warning: a\n  x = 1\n  ^\ng:3:4: warning: b\n  y\n  ^\n"}}, {}};
  CHECK(warning_lines(reply) == std::vector<std::string>{"g:1:2: warning: a", "g:3:4: warning: b"});
}

TEST_CASE("only a change of the router settings needs a new router") {
  CHECK_FALSE(needs_new_router({}));
  CHECK_FALSE(needs_new_router({{.kind = Change::Kind::add_version}}));
  CHECK(needs_new_router({{.kind = Change::Kind::add_version}, {.kind = Change::Kind::router}}));
}
