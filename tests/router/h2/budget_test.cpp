#include "router/h2/budget.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::h2;
using namespace std::chrono_literals;

namespace {

const TimePoint kBegin{100s};

}  // namespace

TEST_CASE("A bucket is full at first, and is filled at its rate, but never beyond its size") {
  TokenBucket bucket(3, 10);
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(kBegin));
  CHECK(!bucket.take(kBegin));
  CHECK(!bucket.take(kBegin + 99ms));
  CHECK(bucket.take(kBegin + 100ms));
  CHECK(!bucket.take(kBegin + 100ms));
  CHECK(bucket.take(kBegin + 1h));
  CHECK(bucket.take(kBegin + 1h));
  CHECK(bucket.take(kBegin + 1h));
  CHECK(!bucket.take(kBegin + 1h));
}

TEST_CASE("Parts of a token are not lost between two looks") {
  TokenBucket bucket(1, 10);
  CHECK(bucket.take(kBegin));
  int taken = 0;
  for (int ms = 1; ms <= 1000; ++ms) taken += bucket.take(kBegin + std::chrono::milliseconds(ms)) ? 1 : 0;
  CHECK(taken == 10);
}

TEST_CASE("Each kind has its own budget") {
  Budget budget;
  int resets = 0, glitches = 0, refused = 0;
  while (budget.reset(kBegin)) ++resets;
  while (budget.glitch(kBegin)) ++glitches;
  while (budget.refused(kBegin)) ++refused;
  CHECK(resets == 100);
  CHECK(glitches == 200);
  CHECK(refused == 200);
  int later = 0;
  while (budget.refused(kBegin + 1s)) ++later;
  CHECK(later == 20);
}

TEST_CASE("Frames that follow our DATA are paid from what it earned") {
  Budget budget;
  for (int i = 0; i < 100; ++i) budget.earn_by_data();
  int answered = 0;
  while (budget.usual(kBegin)) ++answered;
  CHECK(answered == 100 * 10 + 200);
  budget.earn_by_request();
  CHECK(budget.usual(kBegin));
  CHECK(budget.usual(kBegin));
  CHECK(!budget.usual(kBegin));
  for (int i = 0; i < 100000; ++i) budget.earn_by_data();
  answered = 0;
  while (budget.usual(kBegin)) ++answered;
  CHECK(answered == 10000);  // no more is kept
}

TEST_CASE("Replies that the peer does not read are bounded, in number and in bytes") {
  Budget budget;
  std::uint64_t written = 0;
  int replies = 0;
  while (budget.reply(written += 17, 0, 17)) ++replies;
  CHECK(replies == 1000);
  Budget large;
  replies = 0;
  while (large.reply(written += 1000, 0, 1000)) ++replies;
  CHECK(replies == 65);
}

TEST_CASE("A peer that reads may have any number of replies, also behind other bytes") {
  Budget budget;
  std::uint64_t written = 0, sent = 0;
  for (int i = 0; i < 100000; ++i) {
    written += 17 + 900;                        // with 900 of a body
    if (i % 100 == 99) sent = written - 50000;  // it reads, but is never at the end
    if (!budget.reply(written, sent, 17)) FAIL("after ", i);
  }
}
