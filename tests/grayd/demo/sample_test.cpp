#include "grayd/demo/sample.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::demo;
using nlohmann::json;

namespace {

json version_of(const char* name, double weight, const char* state, const char* verdict) {
  return {{"name", name},
          {"weight", weight},
          {"verdict", verdict},
          {"instances", 2},
          {"workers", {{{"state", "healthy"}}, {{"state", state}}}}};
}

json status_of(const char* state) {
  return {{"services",
           {{{"name", "web"},
             {"stable", "v1"},
             {"versions", {version_of("v1", 75, "healthy", "none"), version_of("v2", 25, state, "ok")}}}}}};
}

}  // namespace

TEST_CASE("the answers of grayd become one look") {
  const json rollout = {{"state", "holding"},
                        {"step", 2},
                        {"steps", {5, 25, 100}},
                        {"reason", "waits"},
                        {"since", "2026-11-23T17:04:45.123Z"}};
  const Sample sample = sample_of(status_of("healthy"), rollout, {"slow", WallTime{}});
  CHECK(sample.answered);
  CHECK(sample.up);
  CHECK(sample.stable == "v1");
  CHECK(sample.weight == 25);
  CHECK(sample.verdict == "ok");
  CHECK(sample.state == "holding");
  CHECK(sample.step == 2);
  CHECK(sample.steps == 3);
  CHECK(sample.reason == "waits");
  CHECK(rfc3339(sample.since) == "2026-11-23T17:04:45.123Z");
  CHECK(sample.broken.how == "slow");
}

TEST_CASE("both versions are up when all workers are healthy") {
  CHECK_FALSE(sample_of(status_of("ready"), nullptr, {}).up);
  CHECK(sample_of(status_of("healthy"), nullptr, {}).up);
}

TEST_CASE("a grayd that does not answer, or answers something else, is not taken for one without users") {
  CHECK_FALSE(sample_of(nullptr, nullptr, {}).answered);
  CHECK_FALSE(sample_of(json{{"services", json::array()}}, nullptr, {}).answered);
  CHECK_FALSE(sample_of(status_of("healthy"), json{{"state", 7}}, {}).answered);
  CHECK(sample_of(status_of("healthy"), nullptr, {}).state.empty());
}
