#include "control/release/formers.hpp"

#include <doctest/doctest.h>

#include "control/traffic/weights.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using namespace gray::test;

namespace {

constexpr WallTime kNow{std::chrono::hours(490'000)};

}  // namespace

TEST_CASE("a new stable version has all users, and the one before becomes a former stable") {
  const auto next = make_stable(web(), {}, "v3", kNow);
  CHECK(next.stable == "v3");
  CHECK(next.formers == std::vector<Former>{{"v1", kNow, true}});
  const auto shares = shares_of(web(), {{"web", next}});
  CHECK(shares.stable == "v3");
  CHECK(shares.canary.empty());
  CHECK(next.weights == std::map<std::string, double>{{"v1", 0}, {"v2", 0}});
}

TEST_CASE("what a version was as a canary does not apply to it as the stable one") {
  State state;
  state["web"] = {.weights = {{"v2", 20}}, .salts = {{"v2", "x"}}, .stopped = {"v2", "v3"}};
  const auto next = make_stable(web(), state, "v2", kNow);
  CHECK(next.weights == std::map<std::string, double>{{"v1", 0}});
  CHECK(next.salts.empty());
  CHECK(next.stopped == std::set<std::string>{"v3"});
}

TEST_CASE("the version that an undo leaves is withdrawn, the one that a promotion leaves is not") {
  State state;
  state["web"] = make_stable(web(), {}, "v2", kNow);
  CHECK(state["web"].withdrawn.empty());
  state["web"] = gone_back(web(), state, "v1", kNow);
  CHECK(state["web"].stable == "v1");
  CHECK(state["web"].withdrawn == std::set<std::string>{"v2"});
  CHECK(make_stable(web(), state, "v2", kNow).withdrawn.empty());
}

TEST_CASE("an undo exchanges two versions, so a second one returns") {
  State state;
  state["web"] = make_stable(web(), state, "v3", kNow);
  CHECK(undo_target(web(), state) == "v1");
  state["web"] = make_stable(web(), state, "v1", kNow);
  CHECK(state["web"].stable == "v1");
  CHECK(undo_target(web(), state) == "v3");
  CHECK(state["web"].formers.size() == 1);
  state["web"] = make_stable(web(), state, "v3", kNow);
  CHECK(undo_target(web(), state) == "v1");
}

TEST_CASE("undo goes to the newest former stable that exists and stays") {
  State state;
  CHECK(undo_target(web(), state).empty());
  state["web"].formers = {{"v2", kNow, false}, {"v3", kNow, true}, {"gone", kNow, true}};
  CHECK(undo_target(web(), state) == "v3");
  state["web"].deployed["v3"].removing = true;
  CHECK(is_removing(state["web"], "v3"));
  CHECK(undo_target(web(), state) == "v2");
}

TEST_CASE("a former stable is warm for a time, unless it is stopped already") {
  auto service = web();
  CHECK(warm_until(service, {"v1", kNow, true}) == kNow + std::chrono::minutes(15));
  service.release.emplace();
  service.release->warm = Duration{1'000};
  CHECK(warm_until(service, {"v1", kNow, true}) == kNow + std::chrono::seconds(1));
  CHECK(warm_until(service, {"v1", kNow, false}) == std::nullopt);
  State state;
  state["web"].stopped = {"v1"};
  CHECK_FALSE(make_stable(web(), state, "v3", kNow).formers[0].warm);
}

TEST_CASE("former stables are found by name") {
  ServiceState fact;
  fact.formers = {{"v1", kNow, true}};
  REQUIRE(former_of(fact, "v1") != nullptr);
  CHECK(former_of(fact, "v1")->since == kNow);
  CHECK(former_of(fact, "v2") == nullptr);
  CHECK(&fact_of({}, "web") == &fact_of({}, "api"));
  CHECK_FALSE(is_removing(fact, "v1"));
}

TEST_CASE("an undo aborts the rollout that runs, and leaves an ended one") {
  ServiceState fact;
  abort_rollout(fact, "me", kNow);
  CHECK_FALSE(fact.rollout);
  fact.rollout = Rollout{.version = "43", .state = RolloutState::holding};
  CHECK(running_rollout(fact) == &*fact.rollout);
  abort_rollout(fact, "me", kNow);
  CHECK(fact.rollout->state == RolloutState::aborted);
  CHECK(fact.rollout->since == kNow);
  CHECK(fact.rollout->actor == "me");
  CHECK(running_rollout(fact) == nullptr);
  abort_rollout(fact, "you", kNow);
  CHECK(fact.rollout->actor == "me");
}

TEST_CASE("going back takes the users of rules and of the allowlist away, too") {
  State state;
  state["web"] = {.stable = "v3", .formers = {{"v1", kNow, true}}, .withdrawn = {"v1"}};
  CHECK(gone_back(web(), state, "v1", kNow).withdrawn == std::set<std::string>{"v2", "v3"});  // v2 had 5 percent
  state["web"].weights = {{"v2", 0}};
  CHECK(gone_back(web(), state, "v1", kNow).withdrawn == std::set<std::string>{"v3"});
  state["web"].rollout.emplace();
  state["web"].rollout->version = "v2";
  CHECK(gone_back(web(), state, "v1", kNow).withdrawn == std::set<std::string>{"v2", "v3"});
  state["web"].withdrawn = {"v2"};
  CHECK(make_stable(web(), state, "v2", kNow).withdrawn.empty());
}
