#include "router/policy/min_rate.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gray::policy {

bool MinRate::too_slow(TimePoint now, std::uint64_t moved, bool waited_for, std::uint64_t rate, Duration window) {
  const auto passed = now - std::exchange(looked_, now);
  present_.bytes += moved - std::min(moved, moved_);
  moved_ = std::max(moved, moved_);
  if (!std::exchange(waited_for_, waited_for) || !waited_for) return false;
  present_.waited += passed;
  if (present_.waited < window / 2) return false;
  const Half before = std::exchange(before_, std::exchange(present_, {}));
  if (before.waited == Clock::duration{0}) return false;
  const auto bytes = before.bytes + before_.bytes;
  const std::chrono::duration<double> waited = before.waited + before_.waited;
  return bytes == 0 || static_cast<double>(bytes) < static_cast<double>(rate) * waited.count();
}

}  // namespace gray::policy
