#include "control/judge/event_evidence.hpp"

#include <algorithm>
#include <cmath>

namespace gray::control {

template <class Exponent>
void EventEvidence::multiply(TimePoint now, Exponent exponent) {
  constexpr double kMost = 200;  // one step cannot reach the limits of double
  std::array<double, kTimes.size()> factors{};
  for (std::size_t i = 0; i < kTimes.size(); ++i) factors[i] = std::exp(std::clamp(exponent(kTimes[i]), -kMost, kMost));
  evidence_.multiply(now, factors);
}

void EventEvidence::add(TimePoint now, double share, std::uint64_t canary, std::uint64_t stable) {
  if (canary + stable == 0) return;
  const auto of_canary = static_cast<double>(canary), all = static_cast<double>(canary + stable);
  const double clamped = std::clamp(share, 0.0, 1.0);
  multiply(now,
           [=](double times) { return of_canary * std::log(times) - all * std::log(times * clamped + 1 - clamped); });
}

/// Each request has an event with the probability `ratio` or less, so the expected value of the factor is at most 1.
void EventEvidence::add_alone(TimePoint now, double ratio, std::uint64_t canary, std::uint64_t requests) {
  if (requests == 0) return;
  const auto events = static_cast<double>(canary), exposure = static_cast<double>(requests);
  multiply(now, [=](double times) {
    return events * std::log(times) - exposure * std::log1p((times - 1) * std::min(ratio, 1.0));
  });
}

}  // namespace gray::control
