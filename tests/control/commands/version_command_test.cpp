#include "control/commands/version_command.hpp"

#include <doctest/doctest.h>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using test::settings_of;
using test::web;
using enum VersionState;

namespace {

const State kShifted = {{"web", {"", {{"v2", 20}}, {}}}};

VersionView view(const std::string& version, VersionState state, bool restarting = false) {
  auto result = test::version_view(version, {});
  result.state = state;
  if (restarting) result.replacement = ReplacementView{1, ReplacementState::running, 1, 4, ""};
  return result;
}

CommandVerdict judged(const VersionCommand& command, std::vector<VersionView> views) {
  return judge_command(command, settings_of(web()), kShifted, views);
}

}  // namespace

TEST_CASE("actions have the names of their verbs") {
  for (const auto& [action, verb, text] : {std::tuple{Action::start, Verb::start, "start"},
                                           {Action::stop, Verb::stop, "stop"},
                                           {Action::restart, Verb::restart, "restart"},
                                           {Action::drain, Verb::drain, "drain"}}) {
    CHECK(verb_of(action) == verb);
    CHECK(name(action) == text);
  }
}

TEST_CASE("unknown names are a usage error, with the known names") {
  for (const auto action : {Action::start, Action::stop, Action::restart, Action::drain}) {
    const auto service = judged({action, "wbe", "v1", true}, {});
    CHECK(service.code == ExitCode::usage);
    CHECK(service.error == "there is no service \"wbe\", did you mean \"web\"? (known: web)");
    const auto version = judged({action, "web", "v9", true}, {});
    CHECK(version.code == ExitCode::usage);
    CHECK(version.error == "there is no version of web \"v9\" (known: v1, v2, v3)");
  }
}

TEST_CASE("every command in every state of a version without users: allowed, or refused with what to do") {
  constexpr const char* kOk = "";
  struct Row {
    VersionState state;
    bool restarting;
    const char *start, *stop, *restart, *drain;
  };
  const std::string runs = "web v3 is already running; to replace its workers: grayctl restart web v3";
  const std::string already = "web v3 is stopped already; start it: grayctl start web v3";
  const std::string ends = "web v3 is being stopped already; to end it at once: grayctl stop web v3";
  const std::string busy =
      "web v3 is being restarted, 1 of 4 workers replaced; wait for its end: grayctl status web --wait";
  const std::string busy_stop = busy + "; or to stop it anyway: grayctl stop web v3 --yes";
  const std::string busy_drain = busy + "; or to drain it anyway: grayctl drain web v3 --yes";
  const Row rows[] = {
      {starting, false, runs.c_str(), kOk, kOk, kOk},
      {serving, false, runs.c_str(), kOk, kOk, kOk},
      {dark, false, runs.c_str(), kOk, kOk, kOk},
      {dark, true, runs.c_str(), busy_stop.c_str(), busy.c_str(), busy_drain.c_str()},
      {draining, false, kOk, kOk, "web v3 is being stopped; once it is, start it: grayctl start web v3", ends.c_str()},
      {stopped, false, kOk, already.c_str(), "web v3 is stopped; start it: grayctl start web v3", already.c_str()},
      {failed, false, kOk, kOk, "web v3 has failed; start it: grayctl start web v3", kOk},
  };
  for (const Row& row : rows) {
    CAPTURE(name(row.state));
    const std::pair<Action, const char*> answers[] = {{Action::start, row.start},
                                                      {Action::stop, row.stop},
                                                      {Action::restart, row.restart},
                                                      {Action::drain, row.drain}};
    for (const auto& [action, error] : answers) {
      CAPTURE(name(action));
      const auto verdict = judged({action, "web", "v3", false}, {view("v3", row.state, row.restarting)});
      CHECK(verdict.error == error);
      CHECK(verdict.code == (*error == '\0' ? ExitCode::ok : ExitCode::conflict));
    }
  }
}

TEST_CASE("a version that was never started is stopped") {
  CHECK(judged({Action::start, "web", "v3", false}, {}).code == ExitCode::ok);
  CHECK(judged({Action::drain, "web", "v3", false}, {}).code == ExitCode::conflict);
}

TEST_CASE("ending a version that has users, or is being restarted, needs a confirmation") {
  for (const auto action : {Action::stop, Action::drain}) {
    const std::string verb(name(action));
    auto verdict = judged({action, "web", "v1", false}, {view("v1", serving)});
    CHECK(verdict.code == ExitCode::conflict);
    CHECK(verdict.confirm == "v1 is the stable version of web, whose users would get errors");
    CHECK(verdict.error == verdict.confirm + "; to " + verb + " it anyway: grayctl " + verb + " web v1 --yes");
    verdict = judged({action, "web", "v2", false}, {view("v2", serving)});
    CHECK(verdict.confirm == "v2 takes 20% of the users of web");
    CHECK(verdict.error == verdict.confirm + "; send them to v1 first: grayctl shift web v2 0; or to " + verb +
                               " it anyway: grayctl " + verb + " web v2 --yes");
    CHECK_FALSE(judged({action, "web", "v3", false}, {view("v3", dark, true)}).confirm.empty());
    for (const char* version : {"v1", "v2", "v3"})
      CHECK(judged({action, "web", version, true}, {view(version, serving, true)}).code == ExitCode::ok);
  }
  CHECK(judged({Action::restart, "web", "v1", true}, {view("v1", serving, true)}).code == ExitCode::conflict);
}

TEST_CASE("a version that is being drained may be stopped without a confirmation") {
  CHECK(judged({Action::stop, "web", "v1", false}, {view("v1", draining)}).code == ExitCode::ok);
}
