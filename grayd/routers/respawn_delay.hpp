#pragma once
// The delay before a router that died is replaced: none, unless routers die young repeatedly. Pure.
#include <algorithm>
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::master {

inline constexpr Duration kYoung{1'000};  // a router that dies sooner after `ready`, or before it, died young

/// `young_deaths`: how many in a row, this one included; 0: it did not die young. Delays: 0, 0, 100 ms, 200 ms ... 5 s.
constexpr Duration respawn_delay(std::uint32_t young_deaths) {
  if (young_deaths < 2) return Duration{0};
  const auto doublings = std::min(young_deaths - 2, 6u);
  return std::min(Duration{100 << doublings}, Duration{5'000});
}

}  // namespace gray::master
