#include "control/release/upkeep.hpp"

#include <doctest/doctest.h>

#include "control/traffic/deployed.hpp"
#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using namespace gray::test;
using Kind = Chore::Kind;
using Chores = std::vector<Chore>;

namespace {

constexpr WallTime kToday{std::chrono::hours(490'000)};

WallTime ago(int seconds) { return kToday - std::chrono::seconds(seconds); }

/// Service web with the deployed versions 41 to 44; warm is 60 s.
struct UpkeepFixture {
  State state;
  Settings file = settings_of(web());
  std::vector<VersionView> views;

  UpkeepFixture() {
    file.services[0].release.emplace();
    file.services[0].release->warm = Duration{60'000};
    for (const char* name : {"41", "42", "43", "44"}) {
      state["web"].deployed[name].settings = version_named(name);
      views.push_back(version_view(name, {worker("web@x#0", 1, true)}));
    }
    state["web"].stable = "44";
  }
  Settings settings() const { return with_deployed(file, state); }
  std::uint32_t& keep() { return file.services[0].release->keep; }
  std::vector<Former>& formers() { return state["web"].formers; }
  Upkeep look(WallTime now = kToday) const { return upkeep(settings(), state, views, now); }
};

}  // namespace

TEST_CASE_FIXTURE(UpkeepFixture, "nothing is due without former stables and removals") {
  const auto work = look();
  CHECK(work.chores.empty());
  CHECK(work.next == std::nullopt);
}

TEST_CASE_FIXTURE(UpkeepFixture, "a deployed version whose rollout was aborted is removed after the warm time") {
  state["web"].aborted = {{"43", ago(59)}};
  CHECK(look().chores.empty());
  CHECK(look().next == Duration{1'000});
  state["web"].aborted = {{"43", ago(60)}};
  CHECK(look().chores == Chores{{Kind::discard, "web", "43"}});
  SUBCASE("unless it has users again") { state["web"].weights["43"] = 5; }
  SUBCASE("unless it is stable") { state["web"].stable = "43"; }
  SUBCASE("unless it is a former stable") { formers() = {{"43", ago(5), true}}; }
  SUBCASE("unless it is in a rollout again") {
    state["web"].rollout.emplace();
    state["web"].rollout->version = "43";
  }
  SUBCASE("and not twice") { apply(state["web"], look().chores[0], true); }
  CHECK(look().chores.empty());
}

TEST_CASE_FIXTURE(UpkeepFixture, "a former stable cools when its time is over") {
  formers() = {{"43", ago(59), true}};
  CHECK(look().chores.empty());
  CHECK(look().next == Duration{1'000});
  formers() = {{"43", ago(60), true}};
  CHECK(look().chores == Chores{{Kind::cool, "web", "43"}});
  apply(state["web"], look().chores[0], true);
  CHECK(formers() == std::vector<Former>{{"43", ago(60), false}});
  CHECK(state["web"].stopped == std::set<std::string>{"43"});
  CHECK(look().chores.empty());
  CHECK(look().next == std::nullopt);
}

TEST_CASE_FIXTURE(UpkeepFixture, "the next deadline is the first of all") {
  formers() = {{"42", ago(50), true}, {"43", ago(20), true}};
  CHECK(look().next == Duration{10'000});
}

TEST_CASE_FIXTURE(UpkeepFixture, "a clock that was set back does not make it longer than the whole time") {
  formers() = {{"43", kToday + std::chrono::hours(1), true}};
  CHECK(look().chores.empty());
  CHECK(look().next == Duration{60'000});
}

TEST_CASE_FIXTURE(UpkeepFixture, "a former stable with users is left alone") {
  formers() = {{"42", ago(99), true}, {"43", ago(99), true}};
  state["web"].weights["42"] = 5;
  CHECK(look().chores == Chores{{Kind::cool, "web", "43"}});
  keep() = 1;
  CHECK(look().chores == Chores{{Kind::cool, "web", "43"}});
}

TEST_CASE_FIXTURE(UpkeepFixture, "more than keep are dropped, the oldest first, warm or not") {
  formers() = {{"v1", ago(99), false}, {"41", ago(9), true}, {"42", ago(8), true}, {"43", ago(7), true}};
  const auto chores = look().chores;
  CHECK(chores == Chores{{Kind::drop, "web", "41"}, {Kind::drop, "web", "v1"}});
  for (const auto& chore : chores) apply(state["web"], chore, chore.version != "v1");
  CHECK(formers() == std::vector<Former>{{"42", ago(8), true}, {"43", ago(7), true}});
  CHECK(state["web"].deployed.at("41").removing);
  CHECK(state["web"].stopped == std::set<std::string>{"41", "v1"});
  CHECK(look().chores.empty());
}

TEST_CASE_FIXTURE(UpkeepFixture, "without keep the newest one stays while it is warm") {
  keep() = 0;
  formers() = {{"42", ago(8), true}, {"43", ago(7), true}};
  CHECK(look().chores == Chores{{Kind::drop, "web", "42"}});
  CHECK(look().next == Duration{53'000});
  formers() = {{"43", ago(60), true}};
  CHECK(look().chores == Chores{{Kind::drop, "web", "43"}});
}

TEST_CASE_FIXTURE(UpkeepFixture, "a removed version is forgotten when it has no workers left") {
  mark_removed(state["web"], "42");
  CHECK(state["web"].stopped.contains("42"));
  CHECK(look().chores.empty());
  views[1].state = VersionState::draining;
  CHECK(look().chores.empty());
  views[1].state = VersionState::stopped;
  CHECK(look().chores == Chores{{Kind::forget, "web", "42"}});
  views.clear();
  CHECK(look().chores == Chores{{Kind::forget, "web", "42"}});
  state["web"].weights["42"] = 0;
  apply(state["web"], {Kind::forget, "web", "42"}, true);
  CHECK_FALSE(state["web"].deployed.contains("42"));
  CHECK(state["web"].stopped.empty());
  CHECK(state["web"].weights.empty());
}

TEST_CASE_FIXTURE(UpkeepFixture, "a start completes removals, and does not start what cooled meanwhile") {
  mark_removed(state["web"], "42");
  formers() = {{"41", ago(60), true}, {"43", ago(59), true}};
  const auto saved = without_removed(state);
  CHECK(saved.at("web").deployed.size() == 3);
  CHECK_FALSE(saved.at("web").stopped.contains("42"));
  const auto started = cooled(saved, with_deployed(file, saved), kToday).at("web");
  CHECK(started.stopped == std::set<std::string>{"41"});
  CHECK(started.formers == std::vector<Former>{{"41", ago(60), false}, {"43", ago(59), true}});
}

TEST_CASE_FIXTURE(UpkeepFixture, "a former stable that a rollout brings back is left alone") {
  formers() = {{"43", ago(99), true}};
  state["web"].rollout = Rollout{.version = "43"};
  CHECK(look().chores.empty());
  state["web"].rollout->state = RolloutState::failed;
  CHECK(look().chores == Chores{{Kind::cool, "web", "43"}});
}
