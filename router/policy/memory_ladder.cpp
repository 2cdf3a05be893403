#include "router/policy/memory_ladder.hpp"

#include <algorithm>

namespace gray::policy {

MemoryLevel level_of(std::size_t used, std::size_t budget, MemoryLevel before) {
  const std::size_t back = budget / 100 * kBack;
  auto level = static_cast<std::size_t>(MemoryLevel::count) - 1;
  for (; level > 0; --level) {
    const std::size_t start = start_of(static_cast<MemoryLevel>(level), budget);
    const bool held = level <= static_cast<std::size_t>(before);
    if (used >= start - (held ? std::min(back, start) : 0)) break;
  }
  return static_cast<MemoryLevel>(level);
}

std::string_view effect_of(MemoryLevel level) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(MemoryLevel::count)> kEffects{
      "everything is as usual",         "free memory is given back",
      "idle clients are closed sooner", "connections are not kept",
      "new requests are refused",       "no connections are accepted, and the largest streams are broken off"};
  return kEffects[static_cast<std::size_t>(level)];
}

Duration hurried(Duration idle_timeout, std::size_t used, std::size_t budget) {
  const std::size_t first = start_of(MemoryLevel::hurry, budget), last = start_of(MemoryLevel::refuse, budget);
  if (used <= first || idle_timeout <= kLeastIdle) return idle_timeout;
  if (used >= last) return kLeastIdle;
  const double part = static_cast<double>(last - used) / static_cast<double>(last - first);
  const double whole = static_cast<double>((idle_timeout - kLeastIdle).count());
  return kLeastIdle + Duration(static_cast<Duration::rep>(part * whole));
}

}  // namespace gray::policy
