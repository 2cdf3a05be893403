#include "control/traffic/live_state.hpp"

#include <doctest/doctest.h>

using gray::control::LiveState;
using gray::control::ServiceState;

namespace {

ServiceState at(double percent) { return {"", {{"v2", percent}}, {}}; }

}  // namespace

TEST_CASE("a wanted change is not published before it may be") {
  LiveState live({{"web", at(5)}});
  const auto ticket = live.want("web", at(50), {});
  CHECK(live.published().at("web") == at(5));
  CHECK(live.wanted().at("web") == at(50));
  CHECK(live.publish("web", ticket));
  CHECK(live.published().at("web") == at(50));
}

TEST_CASE("a raise that is still being saved does not undo a later abort") {
  LiveState live({{"web", at(5)}});
  const auto raise = live.want("web", at(50), {});
  const auto abort = live.want("web", at(0), {});
  CHECK(live.publish("web", abort));
  CHECK_FALSE(live.publish("web", raise));
  CHECK_FALSE(live.withdraw("web", raise));
  CHECK(live.published().at("web") == at(0));
  CHECK(live.wanted().at("web") == at(0));
}

TEST_CASE("a change that could not be saved is no longer wanted") {
  LiveState live({{"web", at(5)}});
  CHECK(live.withdraw("web", live.want("web", at(50), {})));
  CHECK(live.wanted().at("web") == at(5));
  CHECK(live.withdraw("api", live.want("api", at(1), {})));
  CHECK_FALSE(live.wanted().contains("api"));
}

TEST_CASE("changes of two services do not supersede each other") {
  LiveState live({});
  const auto web = live.want("web", at(10), {});
  const auto api = live.want("api", at(20), {});
  CHECK(live.publish("web", web));
  CHECK_FALSE(live.published().contains("api"));
  CHECK(live.publish("api", api));
  CHECK(live.published() == live.wanted());
}

TEST_CASE("a stop by an operator applies immediately, and supersedes nothing") {
  LiveState live({});
  const auto raise = live.want("web", at(50), {});
  live.set_stopped("web", "v3", true);
  CHECK(live.published().at("web").stopped.contains("v3"));
  CHECK(live.publish("web", raise));
  CHECK(live.published().at("web").weights.at("v2") == 50);
  CHECK(live.published().at("web").stopped.contains("v3"));
  live.set_stopped("web", "v3", false);
  CHECK(live.wanted().at("web").stopped.empty());
  CHECK(live.wanted() == live.published());
}

TEST_CASE("a change of both copies supersedes nothing, and is in a change that is being saved") {
  LiveState live({});
  const auto raise = live.want("web", at(50), {});
  live.change("web", [](ServiceState& state) { state.deployed["43"]; });
  CHECK(live.published().at("web").deployed.contains("43"));
  CHECK(live.published().at("web").weights.empty());
  CHECK(live.publish("web", raise));
  CHECK(live.published().at("web").weights.at("v2") == 50);
  CHECK(live.published().at("web").deployed.contains("43"));
}

TEST_CASE("a reload supersedes pending changes") {
  LiveState live({{"web", at(5)}});
  const auto raise = live.want("web", at(50), {});
  live.replace({{"web", at(5)}});
  CHECK_FALSE(live.publish("web", raise));
  CHECK(live.wanted().at("web") == at(5));
}
