#include "control/judge/memory_trend.hpp"

#include <algorithm>

namespace gray::control {

void MemoryTrend::add(TimePoint now, const Vitals& vitals) {
  while (!samples_.empty() && (samples_.size() >= kSamples || now - samples_.front().at > kWindow))
    samples_.pop_front();
  if (vitals.processes != 0) samples_.push_back({now, vitals.processes, vitals.memory, vitals.requests});
}

std::optional<double> MemoryTrend::slope() const {
  if (samples_.empty()) return std::nullopt;
  const auto processes = samples_.back().processes;
  const auto begin = std::ranges::find(samples_, processes, &Sample::processes);
  const auto count = static_cast<std::size_t>(samples_.end() - begin);
  if (count < kMinSamples || samples_.back().requests - begin->requests < kMinRequests) return std::nullopt;
  double requests = 0, memory = 0, product = 0, square = 0;
  for (auto sample = begin; sample != samples_.end(); ++sample) {
    requests += sample->requests / static_cast<double>(count);
    memory += sample->memory / static_cast<double>(count);
  }
  for (auto sample = begin; sample != samples_.end(); ++sample) {
    product += (sample->requests - requests) * (sample->memory - memory);
    square += (sample->requests - requests) * (sample->requests - requests);
  }
  return 1'000 * product / square;
}

}  // namespace gray::control
