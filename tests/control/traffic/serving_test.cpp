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
