#include <cmath>

#include "config/shared/routing_table.hpp"

namespace gray {

// Integer arithmetic from here on: percent is counted in steps of 1e-7, and steps * 2^64 / kAll is calculated in two
// 32-bit halves, so that every machine gets the same threshold and 50 percent is exactly half of all hashes.
Threshold Threshold::of_percent(double percent) {
  constexpr std::uint64_t kAll = 1'000'000'000;
  if (!(percent > 0)) return {};
  if (percent >= 100) return {.below = 0, .everyone = true};
  const auto steps = static_cast<std::uint64_t>(std::llround(percent * 1e7));
  if (steps >= kAll) return {.below = 0, .everyone = true};
  const std::uint64_t high = (steps << 32) / kAll;
  const std::uint64_t rest = (steps << 32) % kAll;
  return {.below = high << 32 | (rest << 32) / kAll, .everyone = false};
}

}  // namespace gray
