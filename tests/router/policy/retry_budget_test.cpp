#include "router/policy/retry_budget.hpp"

#include <doctest/doctest.h>

namespace gray::policy {
namespace {

using segment::Reason;

TimePoint time_after(int ms) { return TimePoint{} + Duration{3'600'000 + ms}; }

std::uint32_t granted(RetryBudget& budget, std::uint32_t in_flight) {
  std::uint32_t count = 0;
  while (budget.begin(in_flight)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a fifth of the requests in flight may be repeated attempts, and three always") {
  struct Row {
    std::uint32_t in_flight, retries;
  };
  for (const auto& row : {Row{0, 3}, Row{1, 3}, Row{15, 3}, Row{19, 3}, Row{20, 4}, Row{100, 20}, Row{1'000, 200}}) {
    RetryBudget budget;
    CAPTURE(row.in_flight);
    CHECK(granted(budget, row.in_flight) == row.retries);
  }
}

TEST_CASE("one that has ended makes room for another one") {
  RetryBudget budget;
  CHECK(granted(budget, 100) == 20);
  budget.end();
  budget.end();
  CHECK(budget.active() == 18);
  CHECK(granted(budget, 100) == 2);
  CHECK(granted(budget, 10) == 0);
}

TEST_CASE("a process that ends loses as many requests as it has sockets, and each is repeated") {
  LostSockets losses;
  for (int i = 0; i < 64; ++i) CHECK(losses.covers(64, time_after(0)));
  CHECK_FALSE(losses.covers(64, time_after(0)));
}

TEST_CASE("the free losses come back over ten seconds") {
  LostSockets losses;
  while (losses.covers(10, time_after(0))) {
  }
  CHECK_FALSE(losses.covers(10, time_after(900)));
  for (int i = 0; i < 2; ++i) CHECK(losses.covers(10, time_after(2'100)));
  CHECK_FALSE(losses.covers(10, time_after(2'100)));
  for (int i = 0; i < 10; ++i) CHECK(losses.covers(10, time_after(60'000)));
  CHECK_FALSE(losses.covers(10, time_after(60'000)));
}

TEST_CASE("a worker that breaks a connection each 10 ms has used them up soon") {
  LostSockets losses;
  int free = 0;
  for (int ms = 0; ms < 10'000; ms += 10) free += losses.covers(64, time_after(ms)) ? 1 : 0;
  CHECK(free >= 64);
  CHECK(free <= 2 * 64);
}

TEST_CASE("connections that did not come about, and withdrawn versions, need no budget") {
  CHECK(needs_budget(Reason::upstream_closed));
  CHECK_FALSE(needs_budget(Reason::connect_timeout));
  CHECK_FALSE(needs_budget(Reason::connect_failed));
  CHECK_FALSE(needs_budget(Reason::response_timeout));
}

}  // namespace gray::policy
