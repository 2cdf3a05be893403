#include "control/traffic/deployed.hpp"

#include <doctest/doctest.h>

#include "control/traffic/weights.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using namespace gray::test;

namespace {

DeployedVersion deployed(const std::string& name) { return {.settings = version_named(name)}; }

State state_with(std::initializer_list<const char*> names) {
  State state;
  for (const char* name : names) state["web"].deployed[name] = deployed(name);
  return state;
}

std::vector<std::string> names(const Settings& settings) {
  std::vector<std::string> all;
  for (const auto& version : settings.services[0].versions) all.push_back(version.name + (version.deployed ? "+" : ""));
  return all;
}

}  // namespace

TEST_CASE("deployed versions follow those of the file") {
  const auto in_force = with_deployed(settings_of(web()), state_with({"44", "43"}));
  CHECK(names(in_force) == std::vector<std::string>{"v1", "v2", "v3", "43+", "44+"});
  CHECK(is_deployed(in_force.services[0], "43"));
  CHECK(!is_deployed(in_force.services[0], "v1"));
  CHECK(!is_deployed(in_force.services[0], "45"));
}

TEST_CASE("settings in force can be made from settings in force") {
  const auto in_force = with_deployed(settings_of(web()), state_with({"43"}));
  CHECK(with_deployed(in_force, state_with({"43"})) == in_force);
  CHECK(names(with_deployed(in_force, state_with({"44"}))) == std::vector<std::string>{"v1", "v2", "v3", "44+"});
  CHECK(with_deployed(in_force, {}) == settings_of(web()));
}

TEST_CASE("a name that the file has, too, is the file's") {
  const auto state = state_with({"43", "v2"});
  CHECK(deployed_twice(settings_of(web()), state) == "web v2");
  CHECK(deployed_twice(settings_of(web()), state_with({"43"})).empty());
  CHECK(deployed_twice(settings_of(web()), {}).empty());
  const auto in_force = with_deployed(settings_of(web()), state);
  CHECK(names(in_force) == std::vector<std::string>{"v1", "v2", "v3", "43+"});
  const auto kept = state_at_start(state, in_force);
  CHECK(kept.at("web").deployed.size() == 1);
  CHECK(dropped(state, kept) == "the deployed version web v2");
}

TEST_CASE("a service without a stable version is reported") {
  auto settings = settings_of(web());
  CHECK(missing_stable(settings, {}).empty());
  settings.services[0].stable = "43";
  CHECK(missing_stable(settings, {}) ==
        "service web has no stable version: \"43\" is neither in the file nor deployed; add [service.web.version.43], "
        "or name a version that exists in stable");
  const auto state = state_with({"43"});
  CHECK(missing_stable(with_deployed(settings, state), state).empty());
  settings.services[0].stable = "gone";
  State chosen = state;
  chosen["web"].stable = "43";
  CHECK(missing_stable(with_deployed(settings, chosen), chosen).empty());
}

TEST_CASE("at the start the stable version of the state wins") {
  auto state = state_with({"43"});
  state["web"].stable = "43";
  const auto settings = at_start(settings_of(web()), state);
  CHECK(settings.services[0].stable == "43");
  CHECK(at_start(settings_of(web()), {}).services[0].stable == "v1");
}

TEST_CASE("a stable version that was deployed, former stables and stops of deployed versions survive a start") {
  auto state = state_with({"43", "44"});
  state["web"].stable = "43";
  state["web"].stopped = {"44"};
  state["web"].formers = {{"v1", {}, true}, {"gone", {}, true}, {"44", {}, false}};
  const auto kept = state_at_start(state, with_deployed(settings_of(web()), state)).at("web");
  CHECK(kept.stable == "43");
  CHECK(kept.stopped == std::set<std::string>{"44"});
  CHECK(kept.deployed.size() == 2);
  REQUIRE(kept.formers.size() == 2);
  CHECK(kept.formers[1] == Former{"44", {}, false});
}

TEST_CASE("versions and instances are limited") {
  CHECK(no_room(settings_of(web()), 3, 1).empty());
  CHECK(no_room(settings_of(web()), 64, 1) == "there are 64 versions already, and grayd can have 64: remove one first");
  CHECK(no_room(settings_of(web()), 3, 509).empty());
  CHECK(no_room(settings_of(web()), 3, 510) ==
        "all versions together would have 513 instances, and grayd can have 512: remove a version first");
}
