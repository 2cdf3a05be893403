#include "grayd/demo/demo_file.hpp"

#include <doctest/doctest.h>

#include "config/settings/settings_toml.hpp"

using namespace gray;

TEST_CASE("the text is a valid configuration of two versions of one service, run by this program") {
  const auto loaded = parse_settings(demo::demo_file(8123, "/opt/my \"programs\"/grayd"), "/tmp/d/grayd.toml");
  REQUIRE(std::holds_alternative<Settings>(loaded));
  const auto& settings = std::get<Settings>(loaded);
  REQUIRE(settings.listen.size() == 1);
  CHECK(settings.listen.front().text() == "127.0.0.1:8123");
  REQUIRE(settings.services.size() == 1);
  const auto& web = settings.services.front();
  CHECK(web.name == "web");
  CHECK(web.stable == "v1");
  CHECK(web.rollout.steps == std::vector<double>{5, 25, 50, 100});
  REQUIRE(web.versions.size() == 2);
  for (const auto& version : web.versions) {
    CHECK(version.command == std::vector<std::string>{"/opt/my \"programs\"/grayd", "demo-worker"});
    CHECK(version.instances == 2);
    CHECK(version.weight == 0);
  }
}

TEST_CASE("everything that grayd writes is beside the file") {
  const auto loaded = parse_settings(demo::demo_file(8123, "/usr/bin/grayd"), "/tmp/d/grayd.toml");
  const auto& settings = std::get<Settings>(loaded);
  CHECK(settings.state_dir == "/tmp/d/state");
  CHECK(settings.admin == "/tmp/d/grayd.sock");
}
