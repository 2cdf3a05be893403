#include "control/judge/evidence.hpp"

#include <doctest/doctest.h>

#include <array>

namespace gray::control {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr double kEvidenceRisk = 0.001;
const TimePoint kEvidenceBegin{hours{100}};

/// Steps with the same factor, one each second, until the alarm; the number of steps, or `limit`.
int steps_to_alarm(Evidence& evidence, double factor, TimePoint from, int limit = 1'000) {
  for (int i = 1; i <= limit; ++i) {
    evidence.multiply(from + seconds{i}, std::array{factor});
    if (evidence.alarm(kEvidenceRisk)) return i;
  }
  return limit;
}

TEST_CASE("evidence for a difference grows to an alarm") {
  Evidence evidence(1);
  evidence.begin(kEvidenceBegin);
  CHECK(steps_to_alarm(evidence, 2, kEvidenceBegin) == 12);  // 2^12 is above 3 / risk
}

TEST_CASE("after hours without a difference a new one is noticed soon") {
  Evidence evidence(1);
  evidence.begin(kEvidenceBegin);
  for (int i = 1; i <= 10'000; ++i) evidence.multiply(kEvidenceBegin + seconds{i}, std::array{0.5});
  CHECK(!evidence.alarm(kEvidenceRisk));
  // 2^23 is above 1.5 * 2880 / risk, and the next begin is at most 30 s away.
  CHECK(steps_to_alarm(evidence, 2, kEvidenceBegin + seconds{10'000}) <= 23 + 30);
}

TEST_CASE("hours without any step count as begins, and are not evidence") {
  Evidence evidence(1);
  evidence.begin(kEvidenceBegin);
  evidence.multiply(kEvidenceBegin + hours{24}, std::array{1.0});
  CHECK(!evidence.alarm(kEvidenceRisk));
  CHECK(evidence.alarm(1.5));  // the sum is 2881: one for each begin
}

TEST_CASE("the mean of the alternatives counts") {
  Evidence one(1), four(4);
  one.begin(kEvidenceBegin);
  four.begin(kEvidenceBegin);
  for (int i = 1; i <= 12; ++i) {
    one.multiply(kEvidenceBegin + seconds{i}, std::array{2.0});
    four.multiply(kEvidenceBegin + seconds{i}, std::array{2.0, 0.5, 0.5, 0.5});
  }
  CHECK(one.alarm(kEvidenceRisk));
  CHECK(!four.alarm(kEvidenceRisk));
  for (int i = 13; i <= 14; ++i) four.multiply(kEvidenceBegin + seconds{i}, std::array{2.0, 0.5, 0.5, 0.5});
  CHECK(four.alarm(kEvidenceRisk));
}

TEST_CASE("extreme steps keep the numbers finite, and the evidence recovers") {
  Evidence evidence(1);
  evidence.begin(kEvidenceBegin);
  for (int i = 1; i <= 100; ++i) evidence.multiply(kEvidenceBegin + seconds{i}, std::array{1e80});
  CHECK(evidence.alarm(kEvidenceRisk));
  for (int i = 101; i <= 200; ++i) evidence.multiply(kEvidenceBegin + seconds{i}, std::array{1e-80});
  CHECK(!evidence.alarm(kEvidenceRisk));
  CHECK(steps_to_alarm(evidence, 4, kEvidenceBegin + seconds{300}) < 20);
}

TEST_CASE("a begin forgets everything") {
  Evidence evidence(1);
  evidence.begin(kEvidenceBegin);
  steps_to_alarm(evidence, 2, kEvidenceBegin);
  evidence.begin(kEvidenceBegin + hours{1});
  CHECK(!evidence.alarm(kEvidenceRisk));
}

}  // namespace
}  // namespace gray::control
