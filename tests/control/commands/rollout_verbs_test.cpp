#include "control/commands/rollout_verbs.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "tests/control/commands/fake_host.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct RolloutVerbsFixture {
  test::FakeHost host;
  Rollouts rollouts{host, host.settings, host.live};
  RolloutVerbs verbs{rollouts, host.settings};
  TimePoint now{std::chrono::hours{1}};

  Reply call(Verb verb, json args) {
    std::optional<Reply> reply;
    args["peer"] = {{"uid", 7}, {"pid", 8}};
    verbs.call(verb, args, now, [&](Reply r) { reply = std::move(r); });
    REQUIRE(reply);
    return *reply;
  }
  Reply start(json more = json::object()) {
    more.update({{"service", "web"}, {"version", "v2"}});
    return call(Verb::rollout_start, more);
  }
  json status() { return call(Verb::rollout_status, {{"service", "web"}}).body; }
};

TEST_CASE_FIXTURE(RolloutVerbsFixture, "a start takes steps, hold time and salt; what is not given is as configured") {
  host.settings.services[0].rollout = {{1, 50}, Duration{30'000}, Duration{250}};
  CHECK(start().code == ExitCode::ok);
  CHECK(status()["steps"] == json::array({1, 50}));
  CHECK(status()["hold_s"] == 30);
  call(Verb::rollout_abort, {{"service", "web"}});
  CHECK(start({{"steps", "10,20.5%,100"}, {"hold", "2m"}, {"salt", "spring"}}).code == ExitCode::ok);
  CHECK(status()["steps"] == json::array({10, 20.5, 100}));
  CHECK(status()["hold_s"] == 120);
  CHECK(host.live.published().at("web").salts.at("v2") == "spring");
}

TEST_CASE_FIXTURE(RolloutVerbsFixture, "wrong values are usage errors, and nothing is started") {
  const std::pair<const char*, const char*> wrong[] = {
      {"steps", "1,,5"},
      {"steps", "1,x"},
      {"steps", "5,1"},
      {"steps", "0"},
      {"steps", "101"},
      {"steps", "nan"},
      {"steps", "1e1"},
      {"hold", "2"},
      {"hold", "soon"},
      {"hold", "-1s"},
      {"salt", ""},
      {"salt", "a b"},
      {"steps", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33"}};
  for (const auto& [name, value] : wrong) {
    const auto refused = start({{name, value}});
    CHECK_MESSAGE(refused.code == ExitCode::usage, name << " " << value);
    CHECK(!refused.error.empty());
  }
  CHECK(start({{"salt", std::string(200, 'x')}}).code == ExitCode::usage);
  CHECK(call(Verb::rollout_start, {{"service", "web"}}).code == ExitCode::usage);
  CHECK(!rollouts.find("web"));
}

TEST_CASE_FIXTURE(RolloutVerbsFixture, "the status has the fields of the contract") {
  start();
  const auto body = status();
  for (const auto* field : {"schema_version", "service", "version", "state", "step", "steps", "weight", "since",
                            "actor", "reason", "verdict"})
    CHECK_MESSAGE(body.contains(field), field);
  CHECK(body["state"] == "starting");
  CHECK(body["step"] == 1);  // v2 has 5 percent already: the step with 1 is left out
  CHECK(body["actor"] == "pid 8, uid 7");
  CHECK(body["verdict"].is_null());
  const auto verdict = to_json(Verdict{VerdictResult::fail, Metric::errors, "worse", {}, {9, 8, 7, 0.5, 1, 2}});
  CHECK(verdict["result"] == "fail");
  CHECK(verdict["metric"] == "errors");
  CHECK(verdict["canary"] ==
        json{{"requests", 9}, {"users", 8}, {"failed", 7}, {"error_ratio", 0.5}, {"p50_ms", 1.0}, {"p99_ms", 2.0}});
  CHECK(to_json(Verdict{})["metric"].is_null());
}

TEST_CASE_FIXTURE(RolloutVerbsFixture,
                  "without a rollout the status is a conflict, and for an unknown service an error") {
  CHECK(call(Verb::rollout_status, {{"service", "web"}}).code == ExitCode::conflict);
  CHECK(call(Verb::rollout_status, {{"service", "wbe"}}).code == ExitCode::usage);
}

TEST_CASE_FIXTURE(RolloutVerbsFixture, "each verb is the event that its name says") {
  start();
  CHECK(call(Verb::rollout_pause, {{"service", "web"}}).code == ExitCode::ok);
  CHECK(status()["state"] == "paused");
  CHECK(status()["reason"] == "paused by pid 8, uid 7");
  CHECK(call(Verb::rollout_resume, {{"service", "web"}}).code == ExitCode::ok);
  CHECK(status()["state"] == "holding");
  CHECK(call(Verb::rollout_abort, {{"service", "web"}, {"freeze", true}}).code == ExitCode::ok);
  CHECK(status()["state"] == "aborted");
  CHECK(status()["frozen"] == true);
  CHECK(call(Verb::rollout_retry, {{"service", "web"}}).code == ExitCode::ok);
  CHECK(status()["frozen"] == false);
  host.views.push_back(test::version_view("v2", {test::worker("web@v2#0", 2, true)}));
  call(Verb::rollout_resume, {{"service", "web"}});
  CHECK(call(Verb::rollout_promote, {{"service", "web"}}).code == ExitCode::conflict);  // it is starting
  CHECK(call(Verb::rollout_pause, {{"service", "web"}}).code == ExitCode::ok);
  CHECK(call(Verb::rollout_promote, {{"service", "web"}, {"full", true}}).code == ExitCode::ok);
  CHECK(status()["state"] == "promoted");
}

TEST_CASE("every verb of rollouts is known, and no other") {
  for (const auto& row : verb_table()) {
    const bool is_undo = row.verb == Verb::rollout_undo;  // ReleaseVerbs has it
    CHECK(RolloutVerbs::knows(row.verb) == (row.name.starts_with("rollout ") && !is_undo));
  }
}

}  // namespace
}  // namespace gray::control
