#include "router/policy/slow_start.hpp"

#include <algorithm>
#include <chrono>

namespace gray::policy {

void SlowStart::begin(TimePoint now, bool beside_older) {
  since_ = now;
  ramps_ = beside_older;
  saved_ = 0;
}

std::uint32_t SlowStart::share(TimePoint now) const {
  if (!warming(now)) return kWhole;
  const auto age = std::chrono::duration_cast<Duration>(now - since_).count();
  return kFirst + static_cast<std::uint32_t>((kWhole - kFirst) * std::max<Duration::rep>(age, 0) / kLength.count());
}

bool SlowStart::takes_part(TimePoint now, std::size_t workers) {
  if (saved_ < kTurn) saved_ += static_cast<std::uint32_t>(kTurn / kWhole * share(now) / workers);
  return saved_ >= kTurn;
}

bool SlowStart::takes_user(TimePoint now, std::uint32_t draw) const {
  return std::uint64_t{draw} * kWhole < std::uint64_t{share(now)} << 32;
}

}  // namespace gray::policy
