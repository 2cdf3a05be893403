#include "router/policy/pace.hpp"

#include <chrono>

namespace gray::policy {

std::optional<std::uint64_t> Pace::rate(TimePoint now, std::uint64_t moved, bool waited_for) {
  window_.sample(now, moved, waited_for, kPaceWindow / 2);
  const auto [bytes, waited] = window_.recent();
  if (!waited_for || waited < kPaceLeast) return std::nullopt;
  const std::chrono::duration<double> seconds = waited;
  return static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds.count());
}

}  // namespace gray::policy
