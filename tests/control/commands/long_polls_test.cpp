#include "control/commands/long_polls.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace gray;
using namespace gray::control;

namespace {

struct LongPollsFixture {
  LongPolls polls;
  TimePoint now{Duration{5'000}};
  int value = 0, looks = 0;
  std::vector<int> answers;

  /// Waits until `value` is above 0.
  void wait(Duration limit) {
    polls.wait(
        now, limit,
        [this](bool must) -> std::optional<Reply> {
          ++looks;
          if (value == 0 && !must) return std::nullopt;
          return Reply{ExitCode::ok, value, {}};
        },
        [this](const Reply& reply) { answers.push_back(reply.body.get<int>()); });
  }
};

using Answers = std::vector<int>;

}  // namespace

TEST_CASE_FIXTURE(LongPollsFixture, "who has not to wait is answered at once") {
  wait(Duration{0});
  CHECK(answers == Answers{0});
  value = 5;
  wait(Duration{60'000});
  CHECK(answers == Answers{0, 5});
  CHECK(polls.count() == 0);
  CHECK_FALSE(polls.due());
}

TEST_CASE_FIXTURE(LongPollsFixture, "who waits is answered when there is something, once") {
  wait(Duration{60'000});
  wait(Duration{60'000});
  CHECK(polls.count() == 2);
  CHECK(polls.due() == now + Duration{60'000});
  value = 7;
  polls.changed(now);
  CHECK(polls.due() == now + LongPolls::kGather);
  polls.advance(now + LongPolls::kGather);
  CHECK(answers == Answers{7, 7});
  CHECK(polls.count() == 0);
  CHECK_FALSE(polls.due());
}

TEST_CASE_FIXTURE(LongPollsFixture,
                  "nobody looks while nothing changes, and once for all that changes within a moment") {
  wait(Duration{60'000});
  CHECK(looks == 1);
  polls.advance(now + Duration{30'000});
  CHECK(looks == 1);
  for (int i = 0; i < 100; ++i) polls.changed(now + Duration{30'000});
  polls.advance(now + Duration{30'000} + LongPolls::kGather);
  CHECK(looks == 2);
  CHECK(polls.due() == now + Duration{60'000});
  polls.advance(now + Duration{30'001} + LongPolls::kGather);
  CHECK(looks == 2);
}

TEST_CASE_FIXTURE(LongPollsFixture, "or when the time is up, with what there is") {
  wait(Duration{1});
  polls.advance(now);
  CHECK(answers.empty());
  polls.advance(now + Duration{1});
  CHECK(answers == Answers{0});
}

TEST_CASE_FIXTURE(LongPollsFixture, "there is a bound, and above it nobody waits") {
  for (std::size_t i = 0; i < LongPolls::kMost; ++i) wait(Duration{60'000});
  CHECK(answers.empty());
  wait(Duration{60'000});
  CHECK(answers == Answers{0});
  CHECK(polls.count() == LongPolls::kMost);
}

TEST_CASE_FIXTURE(LongPollsFixture, "the end answers everybody, and who comes later") {
  wait(Duration{60'000});
  polls.end();
  CHECK(answers == Answers{0});
  wait(Duration{60'000});
  CHECK(answers == Answers{0, 0});
}

TEST_CASE_FIXTURE(LongPollsFixture, "a release answers everybody, and who comes later waits") {
  wait(Duration{60'000});
  polls.release();
  CHECK(answers == Answers{0});
  wait(Duration{60'000});
  CHECK(answers == Answers{0});
  CHECK(polls.count() == 1);
}

TEST_CASE_FIXTURE(LongPollsFixture, "who is answered may ask again from within the answer") {
  int asked = 0;
  const auto nothing = [](bool must) { return must ? std::optional<Reply>(Reply{}) : std::nullopt; };
  polls.wait(now, Duration{10}, nothing, [&](const Reply&) {
    ++asked;
    polls.wait(now + Duration{10}, Duration{10}, nothing, [&](const Reply&) { ++asked; });
  });
  polls.advance(now + Duration{10});
  CHECK(asked == 1);
  CHECK(polls.count() == 1);
  polls.advance(now + Duration{20});
  CHECK(asked == 2);
}
