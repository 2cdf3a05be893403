#include "control/commands/rollout_command.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

namespace gray::control {
namespace {

struct RolloutCommandFixture {
  Settings settings = test::settings_of(test::web());
  State state;
  std::vector<VersionView> views{test::version_view("v1", {test::worker("web@v1#0", 1, true)}),
                                 test::version_view("v2", {test::worker("web@v2#0", 2, true)})};

  Reply start(const char* service, const char* version, std::vector<double> steps = {50}) {
    return judge_rollout_start({service, version, std::move(steps), {}, {}}, settings, state);
  }
  Reply command(RolloutEvent event) { return judge_rollout_command(event, settings.services[0], state, views); }
  Rollout& rollout(RolloutState in) {
    Rollout one;
    one.version = "v2";
    one.state = in;
    one.steps = {5, 100};
    one.actor = "uid 7, pid 8";
    state["web"].rollout = one;
    return *state["web"].rollout;
  }
};

TEST_CASE_FIXTURE(RolloutCommandFixture, "what cannot be rolled out is refused with the remedy") {
  CHECK(start("web", "v2").code == ExitCode::ok);
  CHECK(start("wbe", "v2").code == ExitCode::usage);
  CHECK(start("web", "v9").code == ExitCode::usage);
  CHECK(start("web", "v1").error == "v1 is the stable version of web already");
  CHECK(start("web", "v2", {25, 5}).error == "steps rise; 5 follows 25");
  CHECK(start("web", "v3").error == "v2 already has 5% of web; first: grayctl shift web v2 0");
  state["web"].stopped = {"v2"};
  CHECK(start("web", "v2").error == "v2 of web is stopped; first: grayctl start web v2");
}

TEST_CASE_FIXTURE(RolloutCommandFixture, "a second rollout is refused, and says who caused the state of the first") {
  rollout(RolloutState::paused);
  const auto refused = start("web", "v2");
  CHECK(refused.code == ExitCode::conflict);
  CHECK(refused.error ==
        "a rollout of web v2 is paused (since 1970-01-01T00:00:00.000Z, by uid 7, pid 8); to end it: "
        "grayctl rollout abort web");
  rollout(RolloutState::aborted);
  CHECK(start("web", "v2").code == ExitCode::ok);
}

TEST_CASE_FIXTURE(RolloutCommandFixture, "a command that the state does not allow says what can be done") {
  rollout(RolloutState::aborted);
  CHECK(command(RolloutEvent::pause).error ==
        "a rollout of web v2 is aborted (since 1970-01-01T00:00:00.000Z, by uid 7, pid 8) and cannot be paused; "
        "to start it again: grayctl rollout retry web");
  rollout(RolloutState::holding);
  CHECK(command(RolloutEvent::resume).error.ends_with("and cannot be resumed; to end it: grayctl rollout abort web"));
  CHECK(command(RolloutEvent::pause).code == ExitCode::ok);
  rollout(RolloutState::promoted);
  CHECK(command(RolloutEvent::retry).error.ends_with("and cannot be tried again; to go back: grayctl undo web"));
}

TEST_CASE_FIXTURE(RolloutCommandFixture, "a version that is not up gets no more users") {
  rollout(RolloutState::holding);
  for (const auto event : {RolloutEvent::next, RolloutEvent::full}) {
    views[1].workers[0].routable = true;
    CHECK(command(event).code == ExitCode::ok);
    views[1].workers[0].routable = false;
    CHECK(command(event).error == "v2 of web is not up: its workers are not healthy; nothing was changed");
  }
  CHECK(command(RolloutEvent::pause).code == ExitCode::ok);
  CHECK(command(RolloutEvent::abort).code == ExitCode::ok);
}

TEST_CASE_FIXTURE(RolloutCommandFixture, "after the promotion an abort needs the stable version before") {
  rollout(RolloutState::promoted);
  state["web"].stable = "v2";
  CHECK(command(RolloutEvent::abort).error ==
        "v2 is the stable version of web, and the one before is not up; to start it and go back: grayctl undo web");
  state["web"].formers.push_back({.name = "v1"});
  CHECK(command(RolloutEvent::abort).code == ExitCode::ok);
  views[0].workers.clear();
  CHECK(command(RolloutEvent::abort).code == ExitCode::conflict);
}

}  // namespace
}  // namespace gray::control
