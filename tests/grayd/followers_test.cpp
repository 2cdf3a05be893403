#include "grayd/followers.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace gray;
using namespace gray::master;

namespace {

struct FollowersFixture {
  asio::io_context io;
  std::unique_ptr<Followers> followers = std::make_unique<Followers>(io);
  int value = 0;
  std::vector<int> answers;

  /// Waits until `value` is above 0.
  void wait(Duration limit) {
    followers->wait(
        limit,
        [this](bool must) -> std::optional<control::Reply> {
          if (value == 0 && !must) return std::nullopt;
          return control::Reply{ExitCode::ok, value, {}};
        },
        [this](const control::Reply& reply) { answers.push_back(reply.body.get<int>()); });
  }
};

using Answers = std::vector<int>;

}  // namespace

TEST_CASE_FIXTURE(FollowersFixture, "who has not to wait is answered at once") {
  wait(Duration{0});
  CHECK(answers == Answers{0});
  value = 5;
  wait(Duration{60'000});
  CHECK(answers == Answers{0, 5});
  CHECK(followers->count() == 0);
}

TEST_CASE_FIXTURE(FollowersFixture, "who waits is answered when there is something, once") {
  wait(Duration{60'000});
  wait(Duration{60'000});
  CHECK(followers->count() == 2);
  io.run_for(Followers::kGlance * 2);
  CHECK(answers.empty());
  value = 7;
  while (answers.size() < 2) io.run_one();
  CHECK(answers == Answers{7, 7});
  CHECK(followers->count() == 0);
  CHECK(io.run_for(Followers::kGlance * 2) == 0);  // nobody looks any more
}

TEST_CASE_FIXTURE(FollowersFixture, "or when the time is up, with what there is") {
  wait(Duration{1});
  while (answers.empty()) io.run_one();
  CHECK(answers == Answers{0});
}

TEST_CASE_FIXTURE(FollowersFixture, "there is a bound, and above it nobody waits") {
  for (std::size_t i = 0; i < Followers::kMost; ++i) wait(Duration{60'000});
  CHECK(answers.empty());
  wait(Duration{60'000});
  CHECK(answers == Answers{0});
  CHECK(followers->count() == Followers::kMost);
}

TEST_CASE_FIXTURE(FollowersFixture, "the end answers everybody, and who comes later") {
  wait(Duration{60'000});
  followers->end();
  CHECK(answers == Answers{0});
  wait(Duration{60'000});
  CHECK(answers == Answers{0, 0});
}

TEST_CASE_FIXTURE(FollowersFixture, "a timer that outlives them does nothing") {
  wait(Duration{60'000});
  followers.reset();
  io.run_for(Followers::kGlance * 2);
  CHECK(answers.empty());
}

TEST_CASE_FIXTURE(FollowersFixture, "a release answers everybody, and who comes later waits") {
  wait(Duration{60'000});
  followers->release();
  CHECK(answers == Answers{0});
  wait(Duration{60'000});
  CHECK(answers == Answers{0});
  CHECK(followers->count() == 1);
}
