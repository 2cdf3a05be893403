#include "control/grayctl/rollouts.hpp"

#include <doctest/doctest.h>

#include <sstream>

namespace gray::control {
namespace {

using nlohmann::json;

json status_of(const char* state) {
  return {
      {"schema_version", 1},
      {"service", "web"},
      {"version", "v2"},
      {"state", state},
      {"step", 2},
      {"steps", {1, 5, 100}},
      {"weight", 5},
      {"since", "2026-11-23T17:04:45.123Z"},
      {"actor", "grayd"},
      {"reason", "59 s until the next step"},
      {"verdict",
       {{"result", "pass"},
        {"metric", nullptr},
        {"text", ""},
        {"stable",
         {{"requests", 950}, {"users", 400}, {"failed", 1}, {"error_ratio", 0.001}, {"p50_ms", 2.5}, {"p99_ms", 9}}},
        {"canary",
         {{"requests", 50}, {"users", 21}, {"failed", 0}, {"error_ratio", 0}, {"p50_ms", 2.6}, {"p99_ms", 8}}}}}};
}

TEST_CASE("the view has state, steps, both figures and the command to go back") {
  const auto view = view_rollout(status_of("holding"), {});
  CHECK(view ==
        "web v2: holding, 5% of the users, since 2026-11-23T17:04:45.123Z\n"
        "steps: 1% [5%] 100%\n"
        "59 s until the next step\n"
        "verdict: pass\n"
        "  version  requests  users  failed users  errors  p50 ms  p99 ms\n"
        "  stable        950    400             1   0.10%     2.5     9.0\n"
        "  canary         50     21             0   0.00%     2.6     8.0\n"
        "to go back: grayctl rollout abort web\n");
}

TEST_CASE("a reason that the verdict gives too is shown once") {
  auto status = status_of("aborted");
  status["reason"] = status["verdict"]["text"] = "half of its requests failed";
  status["verdict"]["result"] = "fail";
  const auto view = view_rollout(status, {});
  CHECK(view.find("steps: 1% [5%] 100%\nverdict: fail: half of its requests failed\n") != std::string::npos);
}

TEST_CASE("the way back depends on the state") {
  CHECK(view_rollout(status_of("promoted"), {}).ends_with("to go back: grayctl undo web\n"));
  CHECK(view_rollout(status_of("aborted"), {}).ends_with("to try again: grayctl rollout retry web\n"));
  CHECK(view_rollout(status_of("paused"), {}).ends_with("to go back: grayctl rollout abort web\n"));
}

TEST_CASE("no line is wider than the terminal, and odd answers are shown without an error") {
  auto status = status_of("aborted");
  status["reason"] = std::string(300, 'x') + " " + std::string(50, 'y');
  status["verdict"]["text"] = std::string(200, 'z');
  std::istringstream lines(view_rollout(status, {60, false}));
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 64);
  CHECK_NOTHROW(view_rollout(json::object(), {}));
  CHECK_NOTHROW(view_rollout({{"verdict", json::object()}}, {}));
}

TEST_CASE("the line changes when the rollout does, not with the time that is left") {
  auto status = status_of("holding");
  const auto line = line_of_rollout(status);
  CHECK(line == "web v2: holding, 5% of the users");
  status["reason"] = "58 s until the next step";
  CHECK(line_of_rollout(status) == line);
  status["reason"] = "v2 is not up";
  CHECK(line_of_rollout(status) == line + ": v2 is not up");
  for (const char* reason : {"the canary has had 3 of 50 requests", "the canary has had 4 of 50 requests"}) {
    status["reason"] = status["verdict"]["text"] = reason;
    status["verdict"]["result"] = "insufficient";
    CHECK(line_of_rollout(status) == line + ": waits for enough requests to compare");
  }
}

TEST_CASE("the exit code says how a rollout ended") {
  CHECK(exit_code_of_rollout(status_of("promoted")) == ExitCode::ok);
  CHECK(exit_code_of_rollout(status_of("holding")) == ExitCode::ok);
  CHECK(exit_code_of_rollout(status_of("aborted")) == ExitCode::aborted);
  CHECK(exit_code_of_rollout(status_of("failed")) == ExitCode::failed);
  CHECK(is_rollout_over(status_of("promoted")));
  CHECK(!is_rollout_over(status_of("paused")));
}

}  // namespace
}  // namespace gray::control
