#include "grayd/demo/story.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::demo;
using Order = Telling::Order;

namespace {

/// A demo that is looked at four times a second.
struct Told {
  Story story{"grayctl"};
  Tally tally;
  TimePoint now = TimePoint{} + Duration{60'000};
  Sample sample;

  Told() {
    sample.answered = sample.up = true;
    sample.stable = "v1";
    sample.verdict = "none";
  }
  Telling look(Duration later = Duration{250}) { return story.look(sample, tally, now += later); }
  void rollout(const char* state, std::size_t step, double weight) {
    sample.state = state;
    sample.step = step;
    sample.steps = 4;
    sample.weight = weight;
  }
  std::string text_of_look() {
    std::string text;
    for (const auto& line : look().lines) text += line + "\n";
    return text;
  }
  /// At kStay, paused by the demo.
  void stays() {
    look();
    rollout("holding", 3, 50);
    look();
    rollout("paused", 3, 50);
    look();
  }
};

WallTime wall(int ms) { return WallTime(Duration{1'000'000 + ms}); }

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_FIXTURE(Told, "nothing is told of a grayd that does not answer yet") {
  sample.answered = false;
  CHECK(look().lines.empty());
  CHECK(story.live_line(80) == "grayd is starting");
}

TEST_CASE_FIXTURE(Told, "the rollout is started some time after both versions are up, and ordered until it is there") {
  sample.up = false;
  CHECK(look(Duration{60'000}).order == Order::none);
  sample.up = true;
  CHECK(text_of_look() == "both versions are up; v1 has all users\n");
  CHECK(look(Duration{2'500}).order == Order::none);
  CHECK(look(Duration{600}).order == Order::start);
  CHECK(look().order == Order::start);
  rollout("holding", 1, 5);
  const auto telling = look();
  CHECK(telling.order == Order::none);
  CHECK(telling.lines == std::vector<std::string>{"step 1 of 4: v2 gets 5 % of the users"});
}

TEST_CASE_FIXTURE(Told, "the first rollout pauses at half of the users, once") {
  look();
  rollout("holding", 3, 50);
  auto telling = look();
  CHECK(telling.order == Order::pause);
  REQUIRE(telling.lines.size() == 2);
  CHECK(telling.lines[1] ==
        "it stays there until v2 breaks: grayctl demo break v2; or to give it all users: "
        "grayctl rollout resume web");
  telling = look();  // grayd has not carried it out yet
  CHECK(telling.order == Order::pause);
  CHECK(telling.lines.empty());
  rollout("paused", 3, 50);
  CHECK(look().order == Order::none);
  rollout("holding", 3, 50);  // a person has resumed it
  for (int i = 0; i < 3; ++i) CHECK(look().order == Order::none);
}

TEST_CASE_FIXTURE(Told, "a version that has failed goes back, with the figures") {
  stays();
  sample.broken = {"errors", wall(0)};
  CHECK(text_of_look() == "v2 is broken: it answers every request with 500\n");
  for (int user : {7, 7, 8}) tally.add({"v2", user, 500, Duration{5}, wall(100 + user)});
  tally.add({"v1", 9, 500, Duration{5}, wall(1)});
  rollout("aborted", 3, 0);
  sample.since = wall(1'507);
  sample.reason = "2.54% of its requests failed";
  CHECK(
      text_of_look() ==
      "back on v1: v2 was worse and has lost its users by itself, 1.4 s after its first failed answer; 2 users saw an "
      "error\n"
      "reason: 2.54% of its requests failed\n"
      "to try again: grayctl demo heal v2, then: grayctl rollout retry web\n");
  CHECK(look().lines.empty());
}

TEST_CASE_FIXTURE(Told, "late answers are counted as such, and a crash that nobody has met from the break on") {
  stays();
  sample.broken = {"slow", wall(0)};
  look();
  tally.add({"v2", 7, 200, Duration{700}, wall(500)});
  rollout("aborted", 3, 0);
  sample.since = wall(1'500);
  CHECK(has(text_of_look(), "1.0 s after its first late answer; 1 user had to wait\n"));

  Told crash;
  crash.stays();
  crash.sample.broken = {"crash", wall(0)};
  crash.look();
  crash.rollout("aborted", 3, 0);
  crash.sample.since = wall(300);
  CHECK(has(crash.text_of_look(), "0.3 s after it was broken; no user saw an error\n"));
}

TEST_CASE_FIXTURE(Told, "after it was healed the faults are forgotten, and the next rollout does not pause") {
  stays();
  sample.broken = {"errors", wall(0)};
  look();
  rollout("aborted", 3, 0);
  look();
  sample.broken = {};
  const auto telling = look();
  CHECK(telling.forgets_faults);
  CHECK(telling.lines == std::vector<std::string>{"v2 works again"});
  rollout("holding", 3, 50);
  CHECK(look().order == Order::none);
  rollout("promoted", 4, 100);
  sample.stable = "v2";
  CHECK(text_of_look() ==
        "v2 has all users: it is the stable version now; to go back: grayctl undo web; then again: "
        "grayctl rollout start web v2\n");
  sample.stable = "v1";
  sample.weight = 0;
  CHECK(text_of_look() == "v1 has all users again\n");
}

TEST_CASE_FIXTURE(Told, "an abort by a person is not called a fault") {
  stays();
  rollout("aborted", 3, 0);
  sample.reason = "by pid 7, uid 0";
  CHECK(text_of_look() ==
        "the rollout was aborted, v1 has all users (by pid 7, uid 0)\n"
        "to try again: grayctl rollout retry web\n");
}

TEST_CASE_FIXTURE(Told, "the live line has the figures of the last look and fits the terminal") {
  look();
  for (int i = 0; i < 100; ++i) tally.add({"v1", i, 200, Duration{1}, wall(i)});
  tally.add({"v2", 1, 500, Duration{1}, wall(0)});
  rollout("holding", 2, 25);
  sample.verdict = "insufficient";
  sample.broken.how = "errors";
  look(Duration{1'000});
  const std::string line =
      "101 requests/s | v1 75 %, 0 failed | v2 25 %, 1 failed | unclear | holding, step 2 of 4 | v2 broken (errors)";
  CHECK(story.live_line(200) == line);
  CHECK(story.live_line(20) == line.substr(0, 20));
  sample.stable = "v2";
  sample.weight = 100;
  sample.verdict = "none";
  rollout("promoted", 4, 100);
  sample.broken = {};
  look();
  CHECK(has(story.live_line(200), "| v1 0 %, 0 failed | v2 100 %, 1 failed | promoted"));
}
