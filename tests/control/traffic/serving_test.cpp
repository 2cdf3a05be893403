#include "control/traffic/serving.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::settings_of;
using test::version_view;
using test::web;
using test::worker;

namespace {

WorkerView failed_worker(const std::string& id, std::uint32_t cell) {
  auto view = worker(id, cell, false);
  view.state = WorkerState::backoff;
  view.last_exit = "exit 3";
  return view;
}

bool listens(const std::vector<VersionView>& views) { return may_listen(test::settings_of(web()), {}, views); }

}  // namespace

TEST_CASE("clients are accepted once stable is up or has failed its first start") {
  CHECK_FALSE(listens({}));
  CHECK_FALSE(listens({version_view("v1", {worker("a", 0, false)})}));
  CHECK(listens({version_view("v1", {worker("a", 0, false), worker("b", 1, true)})}));
  CHECK_FALSE(listens({version_view("v1", {worker("a", 0, false), failed_worker("b", 1)})}));
  CHECK(listens({version_view("v1", {failed_worker("a", 0), failed_worker("b", 1)})}));
}

TEST_CASE("a stable version that was stopped is not waited for") {
  CHECK_FALSE(may_listen(settings_of(web()), {}, {}));
  CHECK(may_listen(settings_of(web()), {{"web", {.stopped = {"v1"}}}}, {}));
  CHECK_FALSE(may_listen(settings_of(web()), {{"web", {.stopped = {"v2"}}}}, {}));
}

TEST_CASE("a canary alone is not enough to accept clients") {
  CHECK_FALSE(listens({version_view("v1", {worker("a", 0, false)}), version_view("v2", {worker("b", 1, true)})}));
}

TEST_CASE("a version that has failed without a worker counts as failed") {
  auto failed = version_view("v1", {});
  CHECK_FALSE(listens({failed}));
  failed.state = VersionState::failed;
  CHECK(listens({failed}));
}

TEST_CASE("the complaint names the version, its state and the cause") {
  CHECK(health_complaint(web(), {}, {version_view("v1", {worker("a", 0, true)})}).empty());
  CHECK(health_complaint(web(), {}, {}) == "web@v1 (stable) is stopped");
  auto failed = version_view("v1", {});
  failed.state = VersionState::failed;
  failed.cause = "web@v1#0 exit 3";
  CHECK(health_complaint(web(), {}, {failed}) == "web@v1 (stable) is failed: web@v1#0 exit 3");
}

TEST_CASE("a version with a weight that has failed is a complaint, one without is not") {
  const auto stable = version_view("v1", {worker("a", 0, true)});
  auto canary = version_view("v2", {});
  canary.state = VersionState::failed;
  canary.cause = "exit 3";
  const State shifted{{"web", {.weights = {{"v2", 25}}}}}, dark{{"web", {.weights = {{"v2", 0}}}}};
  CHECK(health_complaint(web(), shifted, {stable, canary}) == "web@v2 (25% of the users) is failed: exit 3");
  CHECK(health_complaint(web(), dark, {stable, canary}).empty());
  canary.state = VersionState::starting;
  CHECK(health_complaint(web(), shifted, {stable, canary}).empty());
}

TEST_CASE("a version with users that is worse than stable is a complaint, with the way back") {
  const auto stable = version_view("v1", {worker("a", 0, true)});
  auto canary = version_view("v2", {worker("b", 1, true)});
  const State shifted{{"web", {.weights = {{"v2", 25}}}}}, dark{{"web", {.weights = {{"v2", 0}}}}};
  Verdict worse{.result = VerdictResult::fail, .metric = Metric::errors, .text = "12 of 300 users failed"};
  CHECK(health_complaint(web(), shifted, {stable, canary}, worse) ==
        "web@v2 (25% of the users) is worse than stable: 12 of 300 users failed; to go back: grayctl shift web v2 0");
  CHECK(health_complaint(web(), dark, {stable, canary}, worse).empty());
  for (const auto result : {VerdictResult::pass, VerdictResult::insufficient}) {
    CHECK(health_complaint(web(), shifted, {stable, canary}, Verdict{.result = result}).empty());
  }
  canary.state = VersionState::failed;
  CHECK(health_complaint(web(), shifted, {stable, canary}, worse) == "web@v2 (25% of the users) is failed");
}

TEST_CASE("a shift to a version that cannot serve, or by a fraction, is questioned") {
  auto canary = version_view("v2", {});
  canary.state = VersionState::failed;
  canary.cause = "exit 3";
  CHECK(objection_to_shift({"web", "v2", 50}, {canary}) == "web@v2 (its users would get stable) is failed: exit 3");
  CHECK(objection_to_shift({"web", "v2", 50}, {}) == "web@v2 (its users would get stable) is stopped");
  const auto up = version_view("v2", {worker("b", 1, true)});
  CHECK(objection_to_shift({"web", "v2", 50}, {up}).empty());
  CHECK(objection_to_shift({"web", "v2", 0.2}, {up}) == "0.2 % is 1 user in 500; did you mean 20?");
  CHECK(objection_to_shift({"web", "v2", 1}, {up}).empty());
}

TEST_CASE("readiness needs one stable version that is up, and names the others") {
  const Settings settings = settings_of(web());
  const ServiceReadiness up = readiness(settings, {}, {version_view("v1", {worker("a", 0, true)})});
  CHECK(up.any);
  CHECK(up.problems.empty());
  const ServiceReadiness down = readiness(settings, {}, {});
  CHECK_FALSE(down.any);
  CHECK(down.problems == "web@v1 (stable) is stopped");
}
