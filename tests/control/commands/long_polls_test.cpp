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

TEST_CASE_FIXTURE(LongPollsFixture, "a caller that need not wait is answered immediately") {
  wait(Duration{0});
  CHECK(answers == Answers{0});
  value = 5;
  wait(Duration{60'000});
  CHECK(answers == Answers{0, 5});
  CHECK(polls.count() == 0);
  CHECK_FALSE(polls.due());
}

TEST_CASE_FIXTURE(LongPollsFixture, "a waiting caller is answered once, when there is an entry") {
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
                  "there is no look without a change, and one look for all changes within a short time") {
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

TEST_CASE_FIXTURE(LongPollsFixture, "a waiting caller is answered when its time is up, even without entries") {
  wait(Duration{1});
  polls.advance(now);
  CHECK(answers.empty());
  polls.advance(now + Duration{1});
  CHECK(answers == Answers{0});
}

TEST_CASE_FIXTURE(LongPollsFixture, "the number of waiting callers is limited, and further ones do not wait") {
  for (std::size_t i = 0; i < LongPolls::kMost; ++i) wait(Duration{60'000});
  CHECK(answers.empty());
  wait(Duration{60'000});
  CHECK(answers == Answers{0});
  CHECK(polls.count() == LongPolls::kMost);
}

TEST_CASE_FIXTURE(LongPollsFixture, "the end answers all callers, and later ones immediately") {
  wait(Duration{60'000});
  polls.end();
  CHECK(answers == Answers{0});
  wait(Duration{60'000});
  CHECK(answers == Answers{0, 0});
}

TEST_CASE_FIXTURE(LongPollsFixture, "after the end, callers may wait again once it is resumed") {
  wait(Duration{60'000});
  polls.end();
  polls.resume();
  CHECK(answers == Answers{0});
  wait(Duration{60'000});
  CHECK(answers == Answers{0});
  CHECK(polls.count() == 1);
}

TEST_CASE_FIXTURE(LongPollsFixture, "an answered caller may ask again from within the callback") {
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
