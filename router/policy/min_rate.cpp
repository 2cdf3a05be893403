#include "router/policy/min_rate.hpp"

#include <chrono>

namespace gray::policy {

bool MinRate::too_slow(TimePoint now, std::uint64_t moved, bool waited_for, std::uint64_t rate, Duration window) {
  if (!window_.sample(now, moved, waited_for, window / 2)) return false;
  const auto [bytes, waited] = window_.whole();
  if (waited == Clock::duration{0}) return false;
  const std::chrono::duration<double> seconds = waited;
  return bytes == 0 || static_cast<double>(bytes) < static_cast<double>(rate) * seconds.count();
}

}  // namespace gray::policy
