#pragma once
// What a router does when its memory nears memory.budget: one step after the other, the cheapest first. Pure.
//
// Model: a level is reached at a part of the budget and is left kBack below it, so that it does not change with every
// request. Each level includes those below it.
//   shrink        memory in free lists is given back, and no answer is read ahead of its client
//   hurry         idle clients are closed sooner: from idle_timeout at 85 % to kLeastIdle at 95 %
//   last_answers  every answer is the last one of its connection
//   refuse        new requests are answered 503 (overloaded)
//   shed          no connection is accepted, and the streams that hold most are broken off
// The order and the parts follow the overload manager of Envoy (its documentation, "Overload manager").
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/base/time.hpp"

namespace gray::policy {

enum class MemoryLevel : std::uint8_t { ample, shrink, hurry, last_answers, refuse, shed, count };

/// Parts of the budget at which the levels begin, in percent.
inline constexpr std::array<std::size_t, static_cast<std::size_t>(MemoryLevel::count)> kLevelStarts{0,  80, 85,
                                                                                                    92, 95, 98};
inline constexpr std::size_t kBack = 3;           // percent
inline constexpr Duration kLeastIdle{2'000};      // an idle client is given at least this, unless idle_timeout is less
inline constexpr Duration kMemoryInterval{250};   // while a level is above ample: work is repeated so often
inline constexpr std::size_t kShedAtOnce = 50;    // streams of one thread that are broken off in one interval
inline constexpr std::size_t kLeastShed = 4'096;  // bytes: a stream that holds less is not worth it

/// The bytes at which a level begins. A budget of less than 100 bytes has no levels between.
constexpr std::size_t start_of(MemoryLevel level, std::size_t budget) {
  return budget / 100 * kLevelStarts[static_cast<std::size_t>(level)];
}
/// The level for `used` bytes of `budget`; `before` is the level so far.
MemoryLevel level_of(std::size_t used, std::size_t budget, MemoryLevel before);
/// What is done at a level, for the log.
std::string_view effect_of(MemoryLevel level);
/// How long an idle client is kept.
Duration hurried(Duration idle_timeout, std::size_t used, std::size_t budget);

}  // namespace gray::policy
