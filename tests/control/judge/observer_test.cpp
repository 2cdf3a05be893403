#include "control/judge/observer.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

TEST_CASE("a step is what the rows of all routers and threads have gained since the last look") {
  auto segment = segment::Segment::create();
  auto& one = segment::writable_row(*segment, 0, 0, 3);
  auto& other = segment::writable_row(*segment, 1, 2, 3);
  one.requests = 10;
  one.failing_users = 4;
  Observer observer;
  CHECK(observer.look(*segment, 3).requests == 0);  // the first look
  one.requests = 12;
  one.errors = 1;
  one.failing_users = 5;
  one.samples[40] = 2;
  other.requests = 7;
  other.reset_users = 1;
  other.timed_out_users = 2;
  other.samples[40] = 1;
  const auto step = observer.look(*segment, 3);
  CHECK(step.requests == 9);
  CHECK(step.errors == 1);
  CHECK(step.failing_users == 1);
  CHECK(step.reset_users == 1);
  CHECK(step.timed_out_users == 2);
  CHECK(!step.overflowed);
  REQUIRE(step.samples.size() == segment::kHistogramBuckets);
  CHECK(step.samples[40] == 3);
}

TEST_CASE("requests of rules and of the allowlist are counted apart") {
  auto segment = segment::Segment::create();
  auto& row = segment::writable_row(*segment, 0, 0, 3);
  const auto decided = [&row](segment::Decision decision) -> auto& {
    return row.decisions[static_cast<std::size_t>(decision)];
  };
  Observer observer;
  observer.look(*segment, 3);
  row.requests = 9;
  decided(segment::Decision::rule) = 2;
  decided(segment::Decision::allowlist) = 1;
  decided(segment::Decision::bucket) = 6;
  const auto step = observer.look(*segment, 3);
  CHECK(step.requests == 9);
  CHECK(step.targeted == 3);
  CHECK(step.compared() == 6);
}

TEST_CASE("without requests there is nothing to sum, and the next step has everything") {
  auto segment = segment::Segment::create();
  auto& row = segment::writable_row(*segment, 0, 0, 3);
  Observer observer;
  observer.look(*segment, 3);
  CHECK(observer.look(*segment, 3).samples.empty());
  row.requests = 1;
  row.samples[9] = 1;
  CHECK(observer.look(*segment, 3).samples.at(9) == 1);
  row.users_uncounted = 1;
  CHECK(observer.look(*segment, 3).overflowed);
  CHECK(!observer.look(*segment, 3).overflowed);
}

TEST_CASE("a router that died moves its counts to the base, which is no step") {
  auto segment = segment::Segment::create();
  segment::writable_row(*segment, 1, 0, 3).requests = 10;
  segment::writable_row(*segment, 1, 0, 3).samples[5] = 4;
  Observer observer;
  observer.look(*segment, 3);
  segment.forget(1);
  CHECK(observer.look(*segment, 3).requests == 0);
  segment::writable_row(*segment, 0, 0, 3).requests = 1;
  segment::writable_row(*segment, 0, 0, 3).samples[5] = 1;
  const auto step = observer.look(*segment, 3);
  CHECK(step.requests == 1);
  CHECK(step.samples.at(5) == 1);
}

TEST_CASE("a version that moved to a different row, and a cleared row, begin anew") {
  auto segment = segment::Segment::create();
  segment::writable_row(*segment, 0, 0, 3).requests = 10;
  segment::writable_row(*segment, 0, 0, 4).requests = 500;
  Observer observer;
  observer.look(*segment, 3);
  CHECK(observer.look(*segment, 4).requests == 0);
  segment.clear_version(4);
  segment::writable_row(*segment, 0, 0, 4).requests = 20;
  CHECK(observer.look(*segment, 4).requests == 0);
}

}  // namespace
}  // namespace gray::control
