#include "control/state/state_json.hpp"

#include <doctest/doctest.h>

#include "tests/control/fixture.hpp"

using namespace gray::control;

TEST_CASE("a state survives conversion to text and back") {
  const State state = {{"web",
                        {.stable = "v1",
                         .weights = {{"v1", 0}, {"v2", 12.34}},
                         .salts = {{"v2", "web/v2#3"}},
                         .stopped = {"v3", "v4"},
                         .was_stable = "v1"}},
                       {"api", {}}};
  CHECK(snapshot_from_json(to_json_text({0, state, {}})).state == state);
  const auto empty = snapshot_from_json(to_json_text({7, {}, {"pid 4711, uid 0", "shift web v2"}}));
  CHECK(empty.state.empty());
  CHECK(empty.revision == 7);
  CHECK(empty.by == Author{"pid 4711, uid 0", "shift web v2"});
}

TEST_CASE("deployed and former versions survive conversion to text and back") {
  State state;
  gray::VersionSettings settings;
  settings.name = "43";
  settings.command = {"node", "server.js"};
  settings.cwd = "/srv/43";
  settings.env = {{"A", "\xff"}};
  settings.deployed = true;
  state["web"].deployed["43"] = {settings, gray::WallTime(std::chrono::milliseconds(1764550000000)), true};
  state["web"].formers = {{"v1", gray::WallTime(std::chrono::milliseconds(1764550000000)), true}, {"42", {}, false}};
  CHECK(snapshot_from_json(to_json_text({0, state, {}})).state == state);
}

TEST_CASE("a deployed version that cannot be started makes a text damaged") {
  const auto cause = [](const std::string& version) {
    return error_of(
        [&] { snapshot_from_json(R"({"schema_version":1,"services":{"web":{"deployed":{"43":)" + version + "}}}}"); });
  };
  CHECK(cause(R"({"settings":{"name":"43","command":["a"]}})").empty());
  CHECK(cause(R"({"settings":{"name":"43","command":[]}})") == "\"settings\" is not settings with a command");
  CHECK(cause(R"({"settings":{"name":"43","command":[""]}})") == "\"settings\" is not settings with a command");
  CHECK(cause(R"({"settings":{"name":"43","command":["a"],"instances":0}})") ==
        "\"settings\" is not settings with 1 to 256 instances");
  CHECK(cause(R"({"settings":{"name":"44","command":["a"]}})") == "\"deployed\" is not an object of versions by name");
}

TEST_CASE("absent members mean the configured values, and unknown ones are ignored") {
  const State state = snapshot_from_json(R"({"schema_version":1,"services":{"web":{"later":[1]}},"more":2})").state;
  CHECK(state == State{{"web", {}}});
}

TEST_CASE("a text with a different schema version is refused, but not as damaged") {
  CHECK_THROWS_AS(snapshot_from_json(R"({"schema_version":2,"services":{}})"), NewerState);
  CHECK_THROWS_WITH(snapshot_from_json(R"({"schema_version":2,"services":{}})"),
                    "it has schema_version 2, but this grayd supports 1");
}

TEST_CASE("a damaged text is refused with its cause") {
  auto cause = [](const char* text) { return error_of([&] { snapshot_from_json(text); }); };
  CHECK(cause("") == "it is not a JSON object");
  CHECK(cause("{\"schema_version\":1,") == "it is not a JSON object");
  CHECK(cause("[]") == "it is not a JSON object");
  CHECK(cause("{}") == "it has no \"schema_version\"");
  CHECK(cause(R"({"schema_version":1})") == "it has no \"services\"");
  CHECK(cause(R"({"schema_version":1,"services":{"web":1}})") == "\"services\" is not an object");
  CHECK(cause(R"({"schema_version":1,"services":{"web":{"stable":1}}})") == "\"stable\" is not text");
  CHECK(cause(R"({"schema_version":1,"services":{"web":{"weights":[]}}})") == "\"weights\" is not an object");
  CHECK(cause(R"({"schema_version":1,"services":{"web":{"stopped":{}}}})") == "\"stopped\" is not a list");
  CHECK(cause(R"({"schema_version":1,"services":{"web":{"stopped":[1]}}})") == "\"stopped\" is not text");
  for (const char* weight : {"101", "-1", "\"5\"", "null"}) {
    std::string text = std::string(R"({"schema_version":1,"services":{"web":{"weights":{"v2":)") + weight + "}}}}";
    CHECK(cause(text.c_str()).starts_with("\"weights\" is not a"));
  }
}
