#pragma once
// The figures of the demo. With 2,000 users and 100 requests a second a step is long enough to be seen, and a user who
// met an error is rarely drawn again: the judge counts the failures of a user once in ten minutes, so with few users a
// second break would be found later than the first.
#include <cstddef>

#include "config/base/time.hpp"

namespace gray::demo {

constexpr const char* kService = "web";
constexpr const char* kOld = "v1";
constexpr const char* kNew = "v2";
constexpr const char* kSteps = "5, 25, 50, 100";
constexpr double kStay = 50;  // percent: the first rollout pauses here, until v2 is broken or a person goes on
constexpr Duration kHold{5'000};
constexpr Duration kLatency{300};   // an answer that takes longer is late
constexpr Duration kLate{700};      // what `--how slow` adds
constexpr Duration kBefore{3'000};  // v1 alone, before the rollout

constexpr Duration kInterval{10};  // from one request to the next
constexpr int kUsers = 2'000;
constexpr std::size_t kConnections = 16;  // at most so many requests in flight

}  // namespace gray::demo
