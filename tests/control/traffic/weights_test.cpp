#include "control/traffic/weights.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::settings_of;
using test::version_named;
using test::web;

namespace {

State shifted(std::map<std::string, double> weights, std::string stable = "", std::string salt = "") {
  std::map<std::string, std::string> salts;
  if (!salt.empty()) salts["v2"] = std::move(salt);
  return {{"web", {std::move(stable), std::move(weights), std::move(salts)}}};
}

ShiftVerdict judge(const State& state, const std::string& version, double percent) {
  return judge_shift(settings_of(web()), state, state, {"web", version, percent});
}

}  // namespace

TEST_CASE("without state the file decides, and stable has the rest of 100") {
  const auto shares = shares_of(web(), {});
  CHECK(shares == Shares{"v1", "v2", 5, "web/v2"});
  CHECK(shares.of("v1") == 95);
  CHECK(shares.of("v2") == 5);
  CHECK(shares.of("v3") == 0);
  CHECK(shares.of("unknown") == 0);
}

TEST_CASE("a shifted weight wins over the file") {
  CHECK(shares_of(web(), shifted({{"v2", 20}})) == Shares{"v1", "v2", 20, "web/v2"});
  CHECK(shares_of(web(), shifted({{"v2", 0}})) == Shares{"v1", "", 0, ""});
  CHECK(shares_of(web(), shifted({{"v2", 0}, {"v3", 10}})).canary == "v3");
  CHECK(shares_of(web(), shifted({{"v3", 10}})).canary == "v3");
  CHECK(shares_of(web(), shifted({}, "v2")) == Shares{"v2", "", 0, ""});
  CHECK(shares_of(web(), shifted({}, "", "round-2")).salt == "round-2");
  CHECK(shares_of(web(), shifted({{"v2", 0}, {"v3", 10}}, "", "round-2")).salt ==
        "web/v3");  // a salt is of one version
  CHECK(shares_of(web(), shifted({{"v2", 100}})).of("v1") == 0);
}

TEST_CASE("a stable version in the state that is no longer configured is ignored") {
  CHECK(shares_of(web(), shifted({}, "v9")).stable == "v1");
}

TEST_CASE("the configured shares are those of the file, whatever the state") {
  CHECK(configured_shares(web()).of("v2") == 5);
  CHECK(configured_shares(web()).of("v1") == 95);
}

TEST_CASE("a shift is accepted or refused") {
  struct Row {
    State state;
    std::string version;
    double percent;
    ExitCode code;
    std::string says;
  };
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& row : std::vector<Row>{
           {{}, "v2", 50, ExitCode::ok, ""},
           {{}, "v2", 0, ExitCode::ok, ""},
           {{}, "v2", 100, ExitCode::ok, ""},
           {{}, "v2", 100.5, ExitCode::usage, "100.5 is not a percentage; give a number from 0 to 100"},
           {{}, "v2", -1, ExitCode::usage, "-1 is not a percentage; give a number from 0 to 100"},
           {{}, "v2", nan, ExitCode::usage, "nan is not a percentage; give a number from 0 to 100"},
           {{}, "v1", 50, ExitCode::usage, "v1 is stable; shift the canary instead: grayctl shift web v2 N"},
           {shifted({{"v2", 0}}, "v3"), "v3", 50, ExitCode::usage,
            "v3 is stable; shift the canary instead: grayctl shift web v1 N"},
           {{}, "v3", 0, ExitCode::ok, ""},
           {{},
            "v3",
            1,
            ExitCode::conflict,
            "v2 already has 5% of web; only one version beside stable may have a weight: grayctl shift web v2 0 first"},
           {shifted({{"v2", 0}}), "v3", 1, ExitCode::ok, ""},
       }) {
    CAPTURE(row.version);
    CAPTURE(row.percent);
    const auto verdict = judge(row.state, row.version, row.percent);
    CHECK(verdict.code == row.code);
    CHECK(verdict.error == row.says);
    if (row.code == ExitCode::ok) CHECK(verdict.next.weights.at(row.version) == row.percent);
  }
}

TEST_CASE("unknown names are answered with the nearest known ones") {
  const auto settings = settings_of(web());
  const auto service = judge_shift(settings, {}, {}, {"wbe", "v2", 1});
  CHECK(service.code == ExitCode::usage);
  CHECK(service.error == "there is no service \"wbe\", did you mean \"web\"? (known: web)");
  const auto version = judge_shift(settings, {}, {}, {"web", "canary", 1});
  CHECK(version.code == ExitCode::usage);
  CHECK(version.error == "there is no version of web \"canary\" (known: v1, v2, v3)");
}

TEST_CASE("lowering is judged by the published state, conflicts by the wanted state") {
  const auto settings = settings_of(web());
  CHECK(judge_shift(settings, {}, {}, {"web", "v2", 4}).lowers);
  CHECK_FALSE(judge_shift(settings, {}, {}, {"web", "v2", 5}).lowers);
  CHECK_FALSE(judge_shift(settings, {}, {}, {"web", "v2", 6}).lowers);
  const auto raising = shifted({{"v2", 50}});
  CHECK_FALSE(judge_shift(settings, {}, raising, {"web", "v2", 20}).lowers);
  CHECK(judge_shift(settings, shifted({{"v2", 0}}), raising, {"web", "v3", 1}).code == ExitCode::conflict);
}

TEST_CASE("a shift in a service with one version is refused with the reason") {
  auto service = web();
  service.versions = {version_named("v1")};
  const auto verdict = judge_shift(settings_of(service), {}, {}, {"web", "v1", 5});
  CHECK(verdict.error == "v1 is stable; add a second version to the configuration first");
}

TEST_CASE("the state of removed services and versions is dropped") {
  auto state = shifted({{"v2", 0}, {"v9", 3}}, "v9", "salt");
  state["api"] = {};
  const auto kept = pruned(state, settings_of(web()));
  CHECK(kept == shifted({{"v2", 0}}, "", "salt"));
}

TEST_CASE("a version is withdrawn until it gets users, becomes stable or is removed") {
  State state;
  state["web"].withdrawn = {"v2"};
  const auto settings = settings_of(web());
  CHECK(is_withdrawn(state, "web", "v2"));
  CHECK_FALSE(is_withdrawn(state, "web", "v1"));
  CHECK_FALSE(is_withdrawn(state, "api", "v2"));
  CHECK(judge_shift(settings, state, state, {"web", "v2", 0}).next.withdrawn == std::set<std::string>{"v2"});
  CHECK(judge_shift(settings, state, state, {"web", "v2", 1}).next.withdrawn.empty());
  CHECK(pruned(state, settings) == state);
  state["web"].withdrawn = {"v9"};
  CHECK(pruned(state, settings).at("web").withdrawn.empty());
  state["web"] = {.stable = "v2", .withdrawn = {"v2"}};
  CHECK(pruned(state, settings).at("web").withdrawn.empty());
}

TEST_CASE("what was dropped is named") {
  auto before = shifted({{"v2", 30}, {"v3", 1}}, "v9", "again");
  before["web"].stopped = {"v3"};
  before["api"].stopped = {"v1"};
  CHECK(dropped(before, before).empty());
  CHECK(dropped(before, shifted({{"v3", 1}})) ==
        "the stop of api v1, the choice of the stable version web v9, the weight of web v2, the salt of web v2, the "
        "stop of web v3");
}

TEST_CASE("the saved state has the stable version of each service with decisions") {
  auto state = shifted({{"v2", 30}});
  state["api"] = {};
  const auto saved = with_roles(state, settings_of(web()));
  CHECK(saved.size() == 1);
  CHECK(saved.at("web").was_stable == "v1");
  CHECK(state_at_start(saved, settings_of(web())) == shifted({{"v2", 30}}));
  CHECK(with_roles({}, settings_of(web())).empty());
}

TEST_CASE("a version that an operator stopped gets no more users than it has") {
  auto state = shifted({{"v2", 20}});
  state["web"].stopped = {"v2"};
  const auto verdict = judge(state, "v2", 30);
  CHECK(verdict.code == ExitCode::conflict);
  CHECK(verdict.error == "v2 of web is stopped and cannot serve users; start it first: grayctl start web v2");
  CHECK(judge(state, "v2", 10).code == ExitCode::ok);
  CHECK(judge(state, "v2", 0).code == ExitCode::ok);
  state["web"].stopped = {"v3"};
  CHECK(judge(state, "v2", 30).code == ExitCode::ok);
}

TEST_CASE("a stopped version, and one whose users were taken away, gets no users from rules and the allowlist") {
  auto state = shifted({{"v2", 20}});
  CHECK(takes_targeted_users(state, "web", "v2"));
  CHECK(takes_targeted_users({}, "web", "v2"));
  state["web"].stopped = {"v2"};
  CHECK_FALSE(takes_targeted_users(state, "web", "v2"));
  state["web"] = {.withdrawn = {"v2", "v3"}};
  CHECK_FALSE(takes_targeted_users(state, "web", "v2"));
  CHECK(judge(state, "v2", 0).next.withdrawn == std::set<std::string>{"v2", "v3"});
  CHECK(judge(state, "v2", 1).next.withdrawn == std::set<std::string>{"v3"});
}

TEST_CASE("what was taken away is forgotten with the version, and when it is stable") {
  State state;
  state["web"].withdrawn = {"v1", "v2", "v9"};
  CHECK(pruned(state, settings_of(web())).at("web").withdrawn == std::set<std::string>{"v2"});
  CHECK(state_at_start(state, settings_of(web())).at("web").withdrawn == std::set<std::string>{"v2"});
}
