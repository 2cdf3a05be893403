#include "control/commands/rollouts.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "control/state/state_json.hpp"
#include "control/traffic/weights.hpp"
#include "tests/control/commands/fake_host.hpp"

namespace gray::control {
namespace {

using test::FakeHost;

struct RolloutsFixture {
  FakeHost host;
  std::optional<Rollouts> rollouts;
  TimePoint now{std::chrono::hours{10}};
  ProcessMeter meter{[](pid_t) { return std::uint64_t{50} << 20; }, [](pid_t) { return std::uint64_t{20}; }};

  RolloutsFixture() {
    host.settings.services[0].versions[1].weight = 0;
    host.views = {test::version_view("v1", {test::worker("web@v1#0", 1, true)}),
                  test::version_view("v2", {test::worker("web@v2#0", 2, true)}), test::version_view("v3", {})};
    for (const auto* version : {"v1", "v2", "v3"}) host.rows.take("web", version);
    restart();
  }
  /// As after a restart of grayd: the state is read, the rest begins anew.
  void restart() {
    rollouts.reset();
    host.live.replace(snapshot_from_json(to_json_text({0, host.live.published(), {}})).state);
    rollouts.emplace(host, host.settings, host.live);
  }

  Reply start(std::vector<double> steps = {5, 25, 100}, Duration hold = Duration{60'000}) {
    std::optional<Reply> reply;
    rollouts->start({"web", "v2", std::move(steps), hold, std::nullopt}, "uid 7, pid 8", [&](Reply r) { reply = r; });
    REQUIRE(reply);
    return *reply;
  }
  Reply command(RolloutEvent event, bool freeze = false) {
    std::optional<Reply> reply;
    rollouts->command("web", event, "uid 7, pid 8", freeze, [&](Reply r) { reply = r; });
    REQUIRE(reply);
    return *reply;
  }
  segment::Row& row(const char* version) {
    return segment::writable_row(*host.segment, 0, 0, *host.rows.find("web", version));
  }
  /// One look after `passed`; meanwhile the versions had so many requests.
  void look(Duration passed = Watch::kInterval, std::uint64_t stable_requests = 95, std::uint64_t canary_requests = 5) {
    row("v1").requests += stable_requests;
    row("v2").requests += canary_requests;
    now += passed;
    rollouts->advance(now, {host.views, *host.segment, host.rows, meter});
  }
  void looks(int count) {
    for (int i = 0; i < count; ++i) look();
  }
  /// The whole hold time, with traffic.
  void held() {
    looks(30);
    look(Duration{60'000});
  }
  void fail_users(std::uint64_t users) {
    row("v2").errors += users;
    row("v2").failing_users += users;
  }
  const Rollout& rollout() const { return *rollouts->find("web"); }
  RolloutState state() const { return rollout().state; }
  double weight() const { return rollouts->weight("web", "v2"); }
};

TEST_CASE_FIXTURE(RolloutsFixture, "a good version goes through its steps, and becomes stable") {
  CHECK(!rollouts->looks());
  CHECK(start().code == ExitCode::ok);
  CHECK(state() == RolloutState::starting);
  CHECK(rollouts->looks());
  look();
  CHECK(state() == RolloutState::holding);
  CHECK(weight() == 5);
  held();
  CHECK(weight() == 25);
  held();
  CHECK(weight() == 100);
  held();
  CHECK(state() == RolloutState::promoted);
  CHECK(host.live.published().at("web").stable == "v2");
  CHECK(!rollouts->looks());
  CHECK(rollout().verdict->result == VerdictResult::pass);
}

TEST_CASE_FIXTURE(RolloutsFixture, "each step is recorded with who, why and the verdict so far") {
  start();
  look();
  for (int i = 0; i < 3; ++i) held();
  std::vector<std::string> whats;
  for (const auto& entry : host.history) whats.push_back(entry.what);
  CHECK(whats ==
        std::vector<std::string>{"rollout-start", "rollout-step", "rollout-step", "rollout-step", "rollout-promoted"});
  CHECK(host.history[0].actor == "uid 7, pid 8");
  CHECK(host.history[1].actor == "grayd");
  CHECK(host.history[1].reason == "step 1 of 3, 5% of the users: v2 is up");
  CHECK(host.history[2].reason == "step 2 of 3, 25% of the users: held long enough");
  CHECK(host.history[2].verdict->result == VerdictResult::pass);
  CHECK(host.history[2].after->of("v2") == 25);
  CHECK(host.history[4].before->stable == "v1");
  CHECK(host.history[4].after->stable == "v2");
  for (std::size_t i = 1; i < host.history.size(); ++i) CHECK(host.history[i].before == host.history[i - 1].after);
}

TEST_CASE_FIXTURE(RolloutsFixture, "an abort by the judge is recorded with its figures, one by an operator with who") {
  start();
  look();
  for (int i = 0; i < 60 && state() == RolloutState::holding; ++i) {
    fail_users(5);
    look();
  }
  REQUIRE(state() == RolloutState::aborted);
  const auto& abort = host.history.back();
  CHECK(abort.what == "rollout-abort");
  CHECK(abort.actor == "grayd");
  CHECK(abort.reason == rollout().reason);
  REQUIRE(abort.verdict);
  CHECK(abort.verdict->result == VerdictResult::fail);
  CHECK(abort.verdict->canary.failed > 0);
  CHECK(abort.before->of("v2") == 5);
  CHECK(abort.after->of("v2") == 0);
  command(RolloutEvent::retry);
  command(RolloutEvent::abort);
  CHECK(host.history.back().what == "rollout-abort");
  CHECK(host.history.back().actor == "uid 7, pid 8");
  CHECK(host.history.back().reason.empty());
}

TEST_CASE_FIXTURE(RolloutsFixture, "nothing is raised before the version is up") {
  host.views[1] = test::version_view("v2", {});
  start();
  looks(50);
  CHECK(state() == RolloutState::starting);
  CHECK(weight() == 0);
}

TEST_CASE_FIXTURE(RolloutsFixture, "without traffic a step is held, however long") {
  start();
  look();
  for (int i = 0; i < 100; ++i) look(Duration{60'000}, 0, 0);
  CHECK(state() == RolloutState::holding);
  CHECK(weight() == 5);
  CHECK(rollouts->reason("web", now) == "the canary has had 0 of 50 requests");
}

TEST_CASE_FIXTURE(RolloutsFixture, "a bad version loses its users at once, and the figures stay") {
  start();
  looks(30);
  host.happened.clear();
  fail_users(8);
  look();
  CHECK(state() == RolloutState::aborted);
  CHECK(weight() == 0);
  CHECK(rollout().actor == "grayd");
  REQUIRE(rollout().verdict);
  CHECK(rollout().verdict->metric == Metric::errors);
  CHECK(rollout().verdict->canary.failed == 8);
  CHECK(host.events.back().kind == EventKind::rollout);
  CHECK(host.events.back().cause == "aborted");
  CHECK(host.published.back() == 0);
}

TEST_CASE_FIXTURE(RolloutsFixture, "an abort does not wait for the disk") {
  start();
  looks(3);
  bool published_while_saving = false;
  host.while_saving = [&] { published_while_saving = host.published.back() == 0; };
  CHECK(command(RolloutEvent::abort).code == ExitCode::ok);
  CHECK(published_while_saving);
  CHECK(command(RolloutEvent::abort).code == ExitCode::ok);
  CHECK(state() == RolloutState::aborted);
}

TEST_CASE_FIXTURE(RolloutsFixture, "an abort while a raise or a promotion is being saved wins") {
  start({5, 100}, Duration{0});
  looks(3);
  bool once = false;
  host.while_saving = [&] {
    if (!std::exchange(once, true)) command(RolloutEvent::abort);
  };
  command(RolloutEvent::full);
  CHECK(state() == RolloutState::aborted);
  CHECK(weight() == 0);
  CHECK(host.live.published().at("web").stable.empty());
  CHECK(host.live.wanted() == host.live.published());
  CHECK(rollouts->settled());
}

TEST_CASE_FIXTURE(RolloutsFixture, "an abort after the promotion goes back to the stable version before") {
  start({100}, Duration{0});
  looks(3);
  command(RolloutEvent::full);
  CHECK(state() == RolloutState::promoted);
  CHECK(command(RolloutEvent::abort).code == ExitCode::ok);
  CHECK(state() == RolloutState::aborted);
  CHECK(host.live.published().at("web").stable == "v1");
  CHECK(weight() == 0);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a version that fails, is stopped or is removed ends the rollout") {
  for (const int way : {0, 1, 2}) {
    start();
    looks(3);
    CHECK(weight() == 5);
    if (way == 0) host.views[1].state = VersionState::failed, host.views[1].cause = "worker web@v2#0: exit 3";
    if (way == 1) host.live.set_stopped("web", "v2", true);
    if (way == 2) host.settings.services[0].versions.erase(host.settings.services[0].versions.begin() + 1);
    look();
    CHECK(state() == RolloutState::aborted);
    if (way == 0) CHECK(rollout().reason == "worker web@v2#0: exit 3");
    if (way == 1) CHECK(rollout().reason == "the version was stopped");
    if (way == 2) CHECK(rollout().reason == "the version was removed");
    host.live.set_stopped("web", "v2", false);
    host.views[1].state = VersionState::serving;
  }
}

TEST_CASE_FIXTURE(RolloutsFixture, "a version that fails before its first users has failed, not been aborted") {
  host.views[1] = test::version_view("v2", {});
  start();
  host.views[1].state = VersionState::failed;
  look();
  CHECK(state() == RolloutState::failed);
  host.views[1] = test::version_view("v2", {test::worker("web@v2#0", 2, true)});
  CHECK(command(RolloutEvent::retry).code == ExitCode::ok);
  looks(2);
  CHECK(weight() == 5);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a pause stays at the step; a resume holds it anew") {
  start();
  looks(3);
  CHECK(command(RolloutEvent::pause).code == ExitCode::ok);
  held();
  held();
  CHECK(weight() == 5);
  CHECK(command(RolloutEvent::pause).code == ExitCode::conflict);
  CHECK(command(RolloutEvent::resume).code == ExitCode::ok);
  looks(3);
  CHECK(weight() == 5);
  held();
  CHECK(weight() == 25);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a pause before the first users, and a resume") {
  host.views[1] = test::version_view("v2", {});
  start();
  command(RolloutEvent::pause);
  command(RolloutEvent::resume);
  looks(3);
  CHECK(weight() == 0);
  host.views[1] = test::version_view("v2", {test::worker("web@v2#0", 2, true)});
  looks(3);
  CHECK(weight() == 5);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a bad verdict ends a paused rollout, too") {
  start();
  looks(20);
  command(RolloutEvent::pause);
  fail_users(8);
  look();
  CHECK(state() == RolloutState::aborted);
}

TEST_CASE_FIXTURE(RolloutsFixture, "the next step without waiting; refused while the version is not up") {
  start();
  looks(3);
  CHECK(command(RolloutEvent::next).code == ExitCode::ok);
  CHECK(weight() == 25);
  host.views[1].workers[0].routable = false;
  host.views[1].cause = "worker web@v2#0: the health check failed";
  const auto refused = command(RolloutEvent::next);
  CHECK(refused.code == ExitCode::conflict);
  CHECK(refused.error == "v2 of web is not up: worker web@v2#0: the health check failed; nothing was changed");
  CHECK(weight() == 25);
  look();
  CHECK(rollouts->reason("web", now) == "v2 is not up");
}

TEST_CASE_FIXTURE(RolloutsFixture, "a raise that cannot be saved has not happened, and is tried again later") {
  start();
  looks(3);
  host.disk_error = "the disk is full";
  looks(30);
  look(Duration{60'000});
  CHECK(state() == RolloutState::holding);
  CHECK(weight() == 5);
  const auto saves = host.happened.size();
  looks(20);
  CHECK(host.happened.size() == saves);  // not ten times a second
  host.disk_error.clear();
  look(Rollouts::kRetry);
  look(Duration{60'000});
  CHECK(weight() == 25);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a promotion that is refused leaves the rollout where it was") {
  start({5, 100});
  looks(3);
  host.disk_error = "no room";
  CHECK(command(RolloutEvent::full).code == ExitCode::failed);
  CHECK(state() == RolloutState::holding);
  CHECK(host.live.wanted() == host.live.published());
}

TEST_CASE_FIXTURE(RolloutsFixture, "a restart of grayd continues in every state") {
  start();
  restart();
  look();
  CHECK(weight() == 5);
  restart();
  held();
  CHECK(weight() == 25);
  command(RolloutEvent::pause);
  restart();
  held();
  CHECK(state() == RolloutState::paused);
  CHECK(weight() == 25);
  command(RolloutEvent::abort);
  restart();
  held();
  CHECK(state() == RolloutState::aborted);
  CHECK(weight() == 0);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a second rollout is refused, and says who started the first") {
  start();
  const auto refused = start();
  CHECK(refused.code == ExitCode::conflict);
  CHECK(refused.error.find("a rollout of web v2 is starting (since ") == 0);
  CHECK(refused.error.find("by uid 7, pid 8); to end it: grayctl rollout abort web") != std::string::npos);
}

TEST_CASE_FIXTURE(RolloutsFixture, "commands without a rollout are refused, but an abort is fulfilled") {
  CHECK(command(RolloutEvent::pause).code == ExitCode::conflict);
  CHECK(command(RolloutEvent::retry).code == ExitCode::conflict);
  CHECK(command(RolloutEvent::abort).code == ExitCode::ok);
  std::optional<Reply> reply;
  rollouts->command("wbe", RolloutEvent::abort, "uid 7", false, [&](Reply r) { reply = r; });
  CHECK(reply->code == ExitCode::usage);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a version that has users already keeps them: lower steps are left out") {
  host.live.replace({{"web", {.weights = {{"v2", 10}}}}});
  start({5, 10, 50});
  look();
  CHECK(weight() == 10);
  held();
  CHECK(weight() == 50);
}

TEST_CASE_FIXTURE(RolloutsFixture, "without a rollout a bad version keeps its users, and an event warns") {
  host.live.replace({{"web", {.weights = {{"v2", 5}}}}});
  CHECK(rollouts->looks());
  looks(30);
  CHECK(host.events.empty());
  fail_users(8);
  look();
  CHECK(weight() == 5);
  REQUIRE(host.events.size() == 1);
  CHECK(host.events[0].kind == EventKind::judged);
  CHECK(host.events[0].cause == "errors");
  CHECK(host.events[0].text.find("to go back: grayctl shift web v2 0") != std::string::npos);
  looks(20);
  CHECK(host.events.size() == 1);
  CHECK(rollouts->verdict("web", "v2")->result == VerdictResult::fail);
  CHECK(!rollouts->verdict("web", "v1"));
}

TEST_CASE_FIXTURE(RolloutsFixture, "a signal of the supervisor takes the users away, with and without a rollout") {
  for (const bool with : {false, true}) {
    host.live.replace({{"web", {.weights = {{"v2", 5}}}}});
    if (with) start();
    looks(5);
    CHECK(weight() == 5);
    host.views[1].workers[0].pid = 0;
    host.views[1].workers[0].last_exit = "exit 3";
    look();
    CHECK(weight() == 0);
    CHECK(host.events.back().text.find("ended soon after its start; worker web@v2#0: exit 3") != std::string::npos);
    if (with) CHECK(state() == RolloutState::aborted);
    CHECK(rollouts->settled());
    host.views[1].workers[0].pid = 102;
  }
}

// What happens to v2, and whether rules and the allowlist may choose it by its name afterwards.
struct TargetedRow {
  const char* what;
  void (*happens)(RolloutsFixture&);
  bool takes;
};

void begun(RolloutsFixture& f) {
  f.start();
  f.looks(3);
}
void aborted(RolloutsFixture& f) {
  begun(f);
  f.command(RolloutEvent::abort);
}
void promoted(RolloutsFixture& f) {
  f.start({100}, Duration{0});
  f.looks(3);
  f.command(RolloutEvent::full);
}
void worker_ends(RolloutsFixture& f) {
  f.host.views[1].workers[0].pid = 0;
  f.host.views[1].workers[0].last_exit = "exit 3";
  f.look();
}

TEST_CASE("users of rules and of the allowlist leave a version whose users were taken away, until it gets some again") {
  const TargetedRow rows[] = {
      {"nothing", [](RolloutsFixture&) {}, true},
      {"a rollout", begun, true},
      {"a pause", [](RolloutsFixture& f) { begun(f), f.command(RolloutEvent::pause); }, true},
      {"an abort", aborted, false},
      {"a frozen abort", [](RolloutsFixture& f) { begun(f), f.command(RolloutEvent::abort, true); }, false},
      {"a shift to 0 during a rollout",
       [](RolloutsFixture& f) { begun(f), f.rollouts->withdraw("web", "uid 7", [](const Reply&) {}); }, false},
      {"a failed verdict",
       [](RolloutsFixture& f) {
         f.start();
         f.looks(30);
         f.fail_users(8);
         f.look();
       },
       false},
      {"an alarm during a rollout", [](RolloutsFixture& f) { begun(f), worker_ends(f); }, false},
      {"an alarm without a rollout",
       [](RolloutsFixture& f) {
         f.host.live.replace({{"web", {.weights = {{"v2", 5}}}}});
         f.looks(5);
         worker_ends(f);
       },
       false},
      {"a version that fails before its first users",
       [](RolloutsFixture& f) {
         f.host.views[1].workers[0].routable = false;
         f.start();
         f.host.views[1].state = VersionState::failed;
         f.look();
       },
       false},
      {"a promotion", promoted, true},
      {"an abort after the promotion", [](RolloutsFixture& f) { promoted(f), f.command(RolloutEvent::abort); }, false},
      {"a restart of grayd after an abort", [](RolloutsFixture& f) { aborted(f), f.restart(); }, false},
      {"a retry", [](RolloutsFixture& f) { aborted(f), f.command(RolloutEvent::retry); }, true},
      {"a new rollout", [](RolloutsFixture& f) { aborted(f), f.start(); }, true},
  };
  for (const TargetedRow& row : rows) {
    CAPTURE(row.what);
    RolloutsFixture fixture;
    row.happens(fixture);
    CHECK(takes_targeted_users(fixture.host.live.published(), "web", "v2") == row.takes);
    CHECK(takes_targeted_users(fixture.host.live.wanted(), "web", "v2") == row.takes);
    CHECK(takes_targeted_users(fixture.host.live.published(), "web", "v3"));
  }
}

TEST_CASE_FIXTURE(RolloutsFixture, "a signal takes the users away of a version whose weight is only in the file") {
  host.settings.services[0].versions[1].weight = 5;
  REQUIRE(host.live.published().empty());
  looks(5);
  CHECK(weight() == 5);
  host.views[1].workers[0].pid = 0;
  look();
  CHECK(weight() == 0);
}

TEST_CASE_FIXTURE(RolloutsFixture, "nothing is changed while grayd is being replaced, or stops") {
  start();
  host.locked_by = "an upgrade of grayd is in progress";
  looks(5);
  CHECK(state() == RolloutState::starting);
  host.locked_by.clear();
  host.is_stopping = true;
  looks(5);
  CHECK(state() == RolloutState::starting);
  host.is_stopping = false;
  looks(2);
  CHECK(weight() == 5);
}

TEST_CASE_FIXTURE(RolloutsFixture, "a version whose users were taken away is withdrawn, until it gets users again") {
  const auto withdrawn = [&] { return is_withdrawn(host.live.published(), "web", "v2"); };
  start();
  looks(3);
  CHECK_FALSE(withdrawn());
  command(RolloutEvent::abort, true);
  CHECK(withdrawn());
  restart();
  CHECK(withdrawn());
  command(RolloutEvent::retry);
  CHECK_FALSE(withdrawn());
  looks(3);
  fail_users(8);
  look();
  CHECK(state() == RolloutState::aborted);
  CHECK(withdrawn());
  start({100}, Duration{0});
  CHECK_FALSE(withdrawn());
  looks(3);
  command(RolloutEvent::full);
  CHECK(state() == RolloutState::promoted);
  CHECK_FALSE(withdrawn());
  command(RolloutEvent::abort);
  CHECK(withdrawn());
  host.live.replace({{"web", {.weights = {{"v2", 5}}}}});
  rollouts.emplace(host, host.settings, host.live);
  looks(3);
  host.views[1].workers[0].pid = 0;
  look();
  CHECK(withdrawn());
}

TEST_CASE_FIXTURE(RolloutsFixture, "an aborted version that was deployed is marked for removal, unless it is frozen") {
  host.live.change(
      "web", [&](ServiceState& state) { state.deployed["v2"].settings = *host.settings.services[0].version("v2"); });
  const auto marked = [&] { return host.live.published().at("web").aborted.contains("v2"); };
  start();
  looks(3);
  CHECK(!marked());
  command(RolloutEvent::abort);
  CHECK(marked());
  command(RolloutEvent::retry);
  CHECK(!marked());
  looks(3);
  command(RolloutEvent::abort, true);
  CHECK(!marked());
  start();
  looks(3);
  command(RolloutEvent::abort);
  CHECK(marked());
  start();
  CHECK(!marked());
}

/// Commands, faults, traffic and restarts in any order. GRAY_RANDOM_STEPS in the environment: how many.
struct RandomRollouts : RolloutsFixture {
  std::mt19937_64 random;
  explicit RandomRollouts(std::uint64_t seed) : random(seed) {}

  std::uint64_t pick(std::uint64_t below) { return random() % below; }
  bool is_v2_up() const { return host.views[1].workers[0].routable && host.views[1].state == VersionState::serving; }
  std::string stable() const { return shares_of(host.settings.services[0], host.live.published()).stable; }

  void change_the_world() {
    auto& worker = host.views[1].workers[0];
    switch (pick(8)) {
      case 0: worker.routable = !worker.routable && host.views[1].state == VersionState::serving; break;
      case 1: host.views[1].state = VersionState::failed, worker.routable = false; break;  // as the supervisor does it
      case 2: host.views[1].state = VersionState::serving, worker.routable = true; break;
      case 3: host.live.set_stopped("web", "v2", pick(2) == 0); break;
      case 4: host.disk_error = pick(2) == 0 ? "the disk is full" : ""; break;
      case 5: fail_users(pick(6)); break;
      case 6: ++worker.generation; break;  // its process was replaced
      default: restart();
    }
  }
  void give_a_command() {
    constexpr RolloutEvent kEvents[] = {RolloutEvent::pause, RolloutEvent::resume, RolloutEvent::next,
                                        RolloutEvent::full,  RolloutEvent::retry,  RolloutEvent::abort};
    if (pick(3) == 0) return void(start({5, 25, 100}, Duration{500}));
    const auto event = kEvents[pick(std::size(kEvents))];
    const auto reply = command(event, pick(2) == 0);
    if (event != RolloutEvent::abort || reply.code == ExitCode::conflict) return;
    // Whatever the disk says, the users are gone.
    CHECK(weight() == 0);
    if (rollouts->find("web") == nullptr) return;
    CHECK(state() == RolloutState::aborted);
    CHECK(is_withdrawn(host.live.published(), "web", "v2"));
  }
  void step() {
    const double before = weight();
    const auto stable_before = stable();
    const bool was_aborted = rollouts->find("web") != nullptr && state() == RolloutState::aborted;
    const auto what = pick(10);
    if (what == 0) {
      give_a_command();
    } else if (what == 1) {
      change_the_world();
    } else {
      look(pick(5) == 0 ? Duration{700} : Watch::kInterval, pick(100), pick(20));
      if (was_aborted) CHECK(state() == RolloutState::aborted);
    }
    const bool goes_back = stable() == "v1" && stable_before == "v2";
    if (weight() > before && !goes_back) CHECK(is_v2_up());
    if (stable() == "v2" && stable_before == "v1") CHECK(is_v2_up());
    CHECK_FALSE((weight() > 0 && is_withdrawn(host.live.published(), "web", "v2")));
    CHECK(rollouts->settled());
    CHECK(host.live.wanted() == host.live.published());
  }
};

TEST_CASE("random: weights rise only for a version that is up, an abort is final, and nothing stays half done") {
  const char* wanted = std::getenv("GRAY_RANDOM_STEPS");
  const auto steps = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 20'000;
  const auto seed = std::random_device{}();
  MESSAGE("seed " << seed);
  RandomRollouts run(seed);
  std::set<RolloutState> seen;
  for (std::uint64_t i = 0; i < steps; ++i) {
    run.step();
    if (run.rollouts->find("web") != nullptr) seen.insert(run.state());
    run.host.events.clear();
    run.host.published.clear();
    run.host.happened.clear();
  }
  for (const auto state : {RolloutState::starting, RolloutState::holding, RolloutState::paused, RolloutState::promoted,
                           RolloutState::aborted})
    CHECK(seen.contains(state));
}

}  // namespace
}  // namespace gray::control
