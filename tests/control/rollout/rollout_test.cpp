#include "control/rollout/rollout.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"

namespace gray::control {
namespace {

Rollout some() {
  Rollout rollout;
  rollout.version = "v2";
  rollout.state = RolloutState::holding;
  rollout.begun = 2;
  rollout.steps = {1, 5, 25};
  rollout.hold = Duration{120'000};
  rollout.latency = Duration{500};
  rollout.actor = "uid 1000, pid 4711";
  rollout.reason = "the canary has had 12 of 50 requests";
  rollout.verdict =
      Verdict{VerdictResult::fail, Metric::errors, "too many", {100, 40, 1, 0.01, 2, 9}, {5, 3, 3, 0.6, 3, 8}};
  return rollout;
}

TEST_CASE("what is saved of a rollout is read again") {
  auto saved = some();
  Save save;
  saved.archive(save);
  const auto text = save.take();
  auto load = Load::lenient(text);
  Rollout read;
  read.archive(load);
  CHECK(read == saved);
}

TEST_CASE("a saved rollout with impossible steps is rejected") {
  for (const auto* field : {"steps", "begun"}) {
    auto saved = some();
    Save save;
    saved.archive(save);
    auto json = save.take();
    if (std::string_view(field) == "steps") json["steps"] = nlohmann::json::array({5, 5});
    if (std::string_view(field) == "begun") json["begun"] = 4;
    auto load = Load::lenient(json);
    Rollout read;
    CHECK_THROWS(read.archive(load));
  }
}

TEST_CASE("steps rise from above 0 to at most 100 percent") {
  CHECK(Rollout::error_in_steps({1, 5, 25, 50, 100}).empty());
  CHECK(Rollout::error_in_steps({0.001}).empty());
  CHECK(Rollout::error_in_steps({}) == "a rollout needs at least one step, such as 5,25,100");
  CHECK(Rollout::error_in_steps({0, 5}) == "each step is above 0 and at most 100 percent, not 0");
  CHECK(Rollout::error_in_steps({5, 101}) == "each step is above 0 and at most 100 percent, not 101");
  CHECK(Rollout::error_in_steps({25, 5}) == "steps rise; 5 follows 25");
  CHECK(Rollout::error_in_steps({5, 5}) == "steps rise; 5 follows 5");
  CHECK(Rollout::error_in_steps(std::vector<double>(33, 1)) == "a rollout has at most 32 steps, not 33");
}

TEST_CASE("the weight is that of the step that was begun last") {
  auto rollout = some();
  CHECK(rollout.weight() == 5);
  CHECK(!rollout.is_last_step());
  CHECK(step_text(rollout) == "step 2 of 3, 5% of the users");
  CHECK(text_of("web", rollout) ==
        "a rollout of web v2 is holding (since 1970-01-01T00:00:00.000Z, by uid 1000, pid 4711)");
  rollout.begun = 3;
  CHECK(rollout.is_last_step());
  rollout.begun = 0;
  CHECK(rollout.weight() == 0);
}

}  // namespace
}  // namespace gray::control
