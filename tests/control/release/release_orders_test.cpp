#include "control/release/release_orders.hpp"

#include <doctest/doctest.h>

#include "control/release/formers.hpp"
#include "control/release/upkeep.hpp"
#include "control/traffic/deployed.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using namespace gray::test;

namespace {

/// Service web: v1 is stable, v2 has 5 percent, v3 none; 43 is deployed and up, with two workers.
struct OrdersFixture {
  State state;
  Settings file = settings_of(web());
  std::vector<VersionView> views = {version_view("v1", {worker("web@v1#0", 1, true)}),
                                    version_view("43", {worker("web@43#0", 2, true), worker("web@43#1", 3, true)})};
  VersionSettings deployed;
  std::string target;

  OrdersFixture() {
    file.services[0].release.emplace();
    file.services[0].release->form.command = {"node", "server.js"};
    file.services[0].release->form.cwd = "/srv/{version}";
    state["web"].deployed["43"].settings = version_named("43");
    state["web"].deployed["43"].settings.instances = 2;
    state["web"].weights["v2"] = 0;
  }
  Settings settings() const { return with_deployed(file, state); }
  ReleaseVerdict deploy(const std::string& version, std::map<std::string, std::string> env = {}) {
    return judge_deploy(settings(), state, views, {"web", version, std::move(env)}, deployed);
  }
  ReleaseVerdict promote(const std::string& version, bool yes = false) const {
    return judge_promote(settings(), state, views, {"web", version, yes});
  }
  ReleaseVerdict undo(const std::string& to = {}) { return judge_undo(settings(), state, {"web", to}, target); }
  ReleaseVerdict remove(const std::string& version) const { return judge_remove(settings(), state, {"web", version}); }
};

void check(const ReleaseVerdict& verdict, ExitCode code, const std::string& error) {
  CHECK(verdict.code == code);
  CHECK(verdict.error == error);
}

}  // namespace

TEST_CASE_FIXTURE(OrdersFixture, "a new version is deployed with the settings of the release") {
  CHECK(deploy("44", {{"A", "1"}}).code == ExitCode::ok);
  CHECK(deployed.name == "44");
  CHECK(deployed.cwd == "/srv/44");
  CHECK(deployed.env.at("A") == "1");
}

TEST_CASE_FIXTURE(OrdersFixture, "bad names of versions are refused") {
  for (const char* name : {"", "..", "../43", "a/b", "a.b", "a b", "{version}", "-e"})
    CHECK_MESSAGE(deploy(name).code == ExitCode::usage, name);
  CHECK(deploy(std::string(64, 'x')).code == ExitCode::ok);
  check(deploy("../x"), ExitCode::usage,
        "\"../x\" is not a valid name of a version: use 1 to 64 of a-z, A-Z, 0-9, _ and -, not - at the beginning");
  CHECK(deploy(std::string(65, 'x')).code == ExitCode::usage);
}

TEST_CASE_FIXTURE(OrdersFixture, "a deploy needs a service with a release") {
  check(judge_deploy(settings(), state, views, {"wbe", "44"}, deployed), ExitCode::usage,
        "there is no service \"wbe\", did you mean \"web\"? (known: web)");
  file.services[0].release.reset();
  check(deploy("44"), ExitCode::usage,
        "the configuration does not say how a version of web is started; add to it, and then: grayctl reload\n"
        "[service.web.release]\ncommand = [\"PROGRAM\", \"ARGUMENT\"]\ncwd = \"releases/{version}\"\n");
}

TEST_CASE_FIXTURE(OrdersFixture, "a version that exists is not deployed again") {
  check(
      deploy("43"), ExitCode::conflict,
      "web 43 exists already and is serving; to replace it: grayctl remove web 43, and deploy it again; to replace its "
      "workers: grayctl restart web 43");
  views[1].state = VersionState::stopped;
  check(deploy("43"), ExitCode::conflict,
        "web 43 exists already and is stopped; to replace it: grayctl remove web 43, and deploy it again; to run it: "
        "grayctl start web 43");
  views[1].state = VersionState::failed;
  check(deploy("43"), ExitCode::conflict,
        "web 43 exists already and is failed; correct it, then: grayctl remove web 43, and deploy it again");
  check(
      deploy("v1"), ExitCode::conflict,
      "web v1 exists already and is serving; it is in the configuration file; to replace its workers: grayctl restart "
      "web v1");
  check(deploy("v3"), ExitCode::conflict,
        "web v3 exists already and is stopped; it is in the configuration file; to run it: grayctl start web v3");
  mark_removed(state["web"], "43");
  check(deploy("43"), ExitCode::conflict, "web 43 is being removed; deploy it when it is gone from grayctl status");
  views.push_back(version_view("45", {}));
  check(deploy("45"), ExitCode::conflict, "an earlier web 45 still drains; deploy it when that has ended");
}

TEST_CASE_FIXTURE(OrdersFixture, "variables of a deploy are checked as those of the file") {
  check(deploy("44", {{"GRAY_VERSION", "1"}}), ExitCode::usage,
        "env cannot set GRAY_VERSION: grayd sets it for each worker: choose a different name");
  CHECK(deploy("44", {{"", "1"}}).code == ExitCode::usage);
  check(deploy("44", {{"A", std::string("x\0y", 3)}}), ExitCode::usage, "the value of A contains a NUL character");
}

TEST_CASE_FIXTURE(OrdersFixture, "versions that still drain have a place, too") {
  for (int i = 0; i < 60; ++i) views.push_back(version_view("old" + std::to_string(i), {}));
  CHECK(deploy("44").code == ExitCode::conflict);
  views.pop_back();
  CHECK(deploy("44").code == ExitCode::ok);
}

TEST_CASE_FIXTURE(OrdersFixture, "a healthy version can be promoted") {
  CHECK(promote("43").code == ExitCode::ok);
  state["web"].weights["43"] = 25;
  CHECK(promote("43").code == ExitCode::ok);
}

TEST_CASE_FIXTURE(OrdersFixture, "a version that cannot serve all users is not promoted") {
  check(promote("v1"), ExitCode::conflict, "web v1 is the stable version already");
  CHECK(promote("v9").code == ExitCode::usage);
  CHECK(judge_promote(settings(), state, views, {"api", "v1"}).code == ExitCode::usage);
  check(promote("v3"), ExitCode::conflict, "web v3 is stopped and cannot serve users; see grayctl status");
  views[1] = {"web", "43", VersionState::failed, "worker web@43#0: exit 1", {}};
  check(promote("43"), ExitCode::conflict,
        "web 43 is failed and cannot serve users: worker web@43#0: exit 1; see grayctl status");
  state["web"].stopped = {"43"};
  check(promote("43"), ExitCode::conflict, "web 43 is stopped; start it first: grayctl start web 43");
  mark_removed(state["web"], "43");
  check(promote("43"), ExitCode::conflict, "web 43 is being removed");
}

TEST_CASE_FIXTURE(OrdersFixture, "a promotion is refused while a different canary has users") {
  state["web"].weights["v2"] = 20;
  check(promote("43"), ExitCode::conflict,
        "v2 has 20% of the users of web; send them to stable first: grayctl shift web v2 0");
}

TEST_CASE_FIXTURE(OrdersFixture, "a version of which workers are missing needs a confirmation") {
  views[1].workers[1].routable = false;
  const auto verdict = promote("43");
  CHECK(verdict.code == ExitCode::conflict);
  CHECK(verdict.confirm == "only 1 of 2 workers of web 43 are healthy");
  CHECK(verdict.error == "only 1 of 2 workers of web 43 are healthy; to do it anyway: grayctl promote web 43 --yes");
  CHECK(promote("43", true).code == ExitCode::ok);
  CHECK(is_fully_up(&views[0], version_named("v1")));
  CHECK_FALSE(is_fully_up(nullptr, version_named("v1")));
}

TEST_CASE_FIXTURE(OrdersFixture, "undo goes back to the newest former stable, or a named one") {
  check(undo(), ExitCode::conflict, "web has no stable version before v1 to go back to; see grayctl status web");
  check(undo("43"), ExitCode::conflict,
        "web 43 is not a version that undo can go back to (there is none); to make it stable: grayctl promote web 43");
  state["web"].formers = {{"v3", {}, false}, {"43", {}, true}};
  CHECK(undo().code == ExitCode::ok);
  CHECK(target == "43");
  CHECK(undo("v3").code == ExitCode::ok);
  CHECK(target == "v3");
  check(undo("v2"), ExitCode::conflict,
        "web v2 is not a version that undo can go back to (known: 43, v3); to make it stable: grayctl promote web v2");
  CHECK(undo("v9").code == ExitCode::usage);
  CHECK(judge_undo(settings(), state, {"api", ""}, target).code == ExitCode::usage);
}

TEST_CASE_FIXTURE(OrdersFixture, "only deployed versions without users are removed") {
  CHECK(remove("43").code == ExitCode::ok);
  check(remove("v3"), ExitCode::usage,
        "web v3 is in the configuration file: remove it there, and then: grayctl reload");
  CHECK(remove("v9").code == ExitCode::usage);
  CHECK(judge_remove(settings(), state, {"api", "v1"}).code == ExitCode::usage);
  state["web"].weights["43"] = 7;
  check(remove("43"), ExitCode::conflict, "web 43 has 7% of the users; send them to v1 first: grayctl shift web 43 0");
  state["web"].stable = "43";
  CHECK(remove("43").code == ExitCode::conflict);
  state["web"] = {.deployed = state["web"].deployed};
  mark_removed(state["web"], "43");
  check(remove("43"), ExitCode::conflict, "web 43 is being removed already");
}

TEST_CASE_FIXTURE(OrdersFixture, "the version that undo would go back to can be removed: it may be the bad one") {
  state["web"].formers = {{"43", {}, true}};
  CHECK(remove("43").code == ExitCode::ok);
}

TEST_CASE_FIXTURE(OrdersFixture, "while a rollout runs, it decides which version becomes stable") {
  state["web"].rollout = Rollout{.version = "43", .actor = "pid 7, uid 0"};
  const std::string runs = "a rollout of web 43 is starting (since 1970-01-01T00:00:00.000Z, by pid 7, uid 0); ";
  check(promote("43"), ExitCode::conflict, runs + "to skip its steps: grayctl rollout promote --full web");
  check(promote("v2"), ExitCode::conflict, runs + "to end it: grayctl rollout abort web");
  check(remove("43"), ExitCode::conflict, runs + "to end it: grayctl rollout abort web");
  state["web"].formers = {{"v3", {}, true}};
  CHECK(undo().code == ExitCode::ok);
  state["web"].rollout->state = RolloutState::aborted;
  CHECK(promote("43").code == ExitCode::ok);
  CHECK(remove("43").code == ExitCode::ok);
}
