#include "config/settings_diff.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace gray;
using Kind = Change::Kind;

namespace {

VersionSettings version(const std::string& name) {
  VersionSettings version;
  version.name = name;
  version.command = {"node"};
  return version;
}

ServiceSettings service(const std::string& name) {
  ServiceSettings service;
  service.name = name;
  service.stable = "v1";
  service.versions = {version("v1"), version("v2"), version("v3")};
  return service;
}

/// Service web: v1 stable, v2 with 5 percent, v3 dark.
Settings base() {
  Settings settings;
  settings.services = {service("web")};
  return settings;
}

std::vector<LiveService> live() { return {{"web", "v1", {{"v1", 0, true}, {"v2", 5, true}, {"v3", 0, true}}}}; }

using Edit = std::function<void(Settings&)>;

Diff after(const Edit& edit) {
  Settings fresh = base();
  edit(fresh);
  return diff(base(), fresh, live());
}

Changes changes(const Edit& edit) {
  const Diff result = after(edit);
  if (const auto* refusal = std::get_if<Refusal>(&result)) FAIL(refusal->message);
  return std::get<Changes>(result);
}

std::string refusal(const Diff& result) {
  REQUIRE(std::holds_alternative<Refusal>(result));
  CHECK(std::get<Refusal>(result).code == ExitCode::conflict);
  return std::get<Refusal>(result).message;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("nothing changed is no change") {
  CHECK(changes([](Settings&) {}).empty());
}

TEST_CASE("what the running process is bound to needs a restart") {
  const std::pair<const char*, Edit> rows[] = {
      {"listen.http", [](Settings& s) { s.listen = {*Address::parse("127.0.0.1:1")}; }},
      {"listen.admin", [](Settings& s) { s.admin = "/x"; }},
      {"listen.metrics", [](Settings& s) { s.metrics = "127.0.0.1:1"; }},
      {"router.threads", [](Settings& s) { s.router.threads = 3; }},
      {"state_dir", [](Settings& s) { s.state_dir = "/x"; }},
      {"access_log", [](Settings& s) { s.access_log = "/x"; }},
      {"memory.budget", [](Settings& s) { s.memory_budget = 1; }},
  };
  for (const auto& [name, edit] : rows)
    CHECK(contains(refusal(after(edit)), std::string("a change of ") + name + " needs a restart"));
  CHECK(contains(refusal(after([](Settings& s) { s.admin = s.state_dir = "/x"; })), "listen.admin, state_dir needs"));
}

TEST_CASE("a refusal refuses the whole, also what could have been applied") {
  CHECK(contains(refusal(after([](Settings& s) {
                   s.services[0].versions.push_back(version("v4"));
                   s.router.threads = 3;
                 })),
                 "needs a restart"));
}

TEST_CASE("a process must be replaced for what it cannot be told") {
  const std::function<void(VersionSettings&)> rows[] = {
      [](VersionSettings& v) { v.command = {"deno"}; },
      [](VersionSettings& v) { v.env["A"] = "1"; },
      [](VersionSettings& v) { v.cwd = "/x"; },
      [](VersionSettings& v) { v.user = "x"; },
      [](VersionSettings& v) { v.listen = ListenMode::unix_path; },
      [](VersionSettings& v) { v.ready.automatic = false; },
      [](VersionSettings& v) { v.ready.ways = {ReadyWay::pipe}; },
      [](VersionSettings& v) { v.ready.fd = 3; },
  };
  for (const auto& edit : rows)
    CHECK(changes([&](Settings& s) { edit(s.services[0].versions[1]); }) ==
          Changes{{Kind::restart_version, "web", "v2"}});
}

TEST_CASE("the rest of a version takes effect without a restart") {
  const std::function<void(VersionSettings&)> rows[] = {
      [](VersionSettings& v) { v.health.path = "/h"; },
      [](VersionSettings& v) { v.stop.signal = 2; },
      [](VersionSettings& v) { v.drain_timeout = Duration{1}; },
      [](VersionSettings& v) { v.ready.timeout = Duration{1}; },
      [](VersionSettings& v) { v.memory = 1; },
  };
  for (const auto& edit : rows)
    CHECK(changes([&](Settings& s) { edit(s.services[0].versions[1]); }) ==
          Changes{{Kind::update_version, "web", "v2"}});
}

TEST_CASE("instances are resized, alone or beside another change") {
  CHECK(changes([](Settings& s) { s.services[0].versions[0].instances = 4; }) ==
        Changes{{Kind::resize_version, "web", "v1"}});
  CHECK(changes([](Settings& s) {
          s.services[0].versions[0].instances = 4;
          s.services[0].versions[0].command = {"deno"};
        }) == Changes{{Kind::restart_version, "web", "v1"}, {Kind::resize_version, "web", "v1"}});
}

TEST_CASE("the weight and the stable version of the file are initial values only") {
  CHECK(changes([](Settings& s) {
          s.services[0].versions[1].weight = 50;
          s.services[0].stable = "v2";
        }).empty());
}

TEST_CASE("a change of routing needs no restart") {
  CHECK(changes([](Settings& s) { s.services[0].limits.queue = 1; }) == Changes{{Kind::reroute_service, "web", ""}});
  CHECK(changes([](Settings& s) { s.services[0].hosts = {"x"}; }) == Changes{{Kind::reroute_service, "web", ""}});
  CHECK(changes([](Settings& s) { s.router.max_connections = 1; }) == Changes{{Kind::router, "", ""}});
}

TEST_CASE("a new version is started, a dark one that is gone is drained, in this order") {
  CHECK(changes([](Settings& s) { s.services[0].versions[2] = version("v4"); }) ==
        Changes{{Kind::add_version, "web", "v4"}, {Kind::remove_version, "web", "v3"}});
}

TEST_CASE("a version that is stable or weighted at this moment is not removed") {
  CHECK(contains(refusal(after([](Settings& s) { s.services[0].versions.erase(s.services[0].versions.begin()); })),
                 "version web v1 is stable and cannot be removed: promote another version first"));
  CHECK(contains(refusal(after([](Settings& s) { s.services[0].versions.erase(s.services[0].versions.begin() + 1); })),
                 "grayctl shift web v2 0 first"));
}

TEST_CASE("what the file once called stable may go after another was promoted") {
  Settings fresh = base();
  fresh.services[0].stable = "v2";
  fresh.services[0].versions.erase(fresh.services[0].versions.begin());
  const std::vector<LiveService> promoted{{"web", "v2", {{"v1", 0, true}, {"v2", 100, true}, {"v3", 0, true}}}};
  CHECK(std::get<Changes>(diff(base(), fresh, promoted)) == Changes{{Kind::remove_version, "web", "v1"}});
}

TEST_CASE("a new version brings no second weight") {
  const Edit add_weighted = [](Settings& s) {
    s.services[0].versions.push_back(version("v4"));
    s.services[0].versions.back().weight = 1;
  };
  CHECK(contains(refusal(after(add_weighted)), "new version web v4 has a weight while v2 carries traffic"));
  Settings fresh = base();
  add_weighted(fresh);
  std::vector<LiveService> calm = live();
  calm[0].versions[1].weight = 0;
  CHECK(std::get<Changes>(diff(base(), fresh, calm)) == Changes{{Kind::add_version, "web", "v4"}});
}

TEST_CASE("a new service comes with its versions") {
  CHECK(changes([](Settings& s) { s.services.push_back(service("api")); }) ==
        Changes{{Kind::add_service, "api", ""},
                {Kind::add_version, "api", "v1"},
                {Kind::add_version, "api", "v2"},
                {Kind::add_version, "api", "v3"}});
}

TEST_CASE("a service goes only when none of its versions serves") {
  Settings fresh;
  CHECK(contains(refusal(diff(base(), fresh, live())),
                 "service web carries traffic and cannot be removed: grayctl stop web v1"));
  std::vector<LiveService> stopped = live();
  for (LiveVersion& one : stopped[0].versions) one.serving = false;
  CHECK(std::get<Changes>(diff(base(), fresh, stopped)) == Changes{{Kind::remove_version, "web", "v1"},
                                                                   {Kind::remove_version, "web", "v2"},
                                                                   {Kind::remove_version, "web", "v3"},
                                                                   {Kind::remove_service, "web", ""}});
  CHECK(std::get<Changes>(diff(base(), fresh, {})).size() == 4);
}

TEST_CASE("old and new versions must have room beside each other") {
  Settings fresh = base();
  for (int i = 0; i < 62; ++i) fresh.services[0].versions.push_back(version("n" + std::to_string(i)));
  fresh.services[0].versions.erase(fresh.services[0].versions.begin() + 2);
  CHECK(contains(refusal(diff(base(), fresh, live())), "more than 64"));
  fresh.services[0].versions.pop_back();
  CHECK(std::holds_alternative<Changes>(diff(base(), fresh, live())));
}
