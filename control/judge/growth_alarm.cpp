#include "control/judge/growth_alarm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gray::control {

std::size_t GrowthAlarm::point_of(double requests) {
  return std::min(kPoints - 1, static_cast<std::size_t>(4 * std::log2(1 + std::max(0.0, requests))));
}

GrowthAlarm::Growth GrowthAlarm::grown(Base& base, const Vitals& now) {
  if (base.processes != now.processes) base = {now.processes, now};
  return {now.resident - base.first.resident, now.files - base.first.files};
}

/// The largest growth up to the point; nothing: stable was not measured while it had so few requests.
std::optional<GrowthAlarm::Growth> GrowthAlarm::of_stable(std::size_t point) const {
  if (std::none_of(curve_.begin(), curve_.begin() + static_cast<std::ptrdiff_t>(point) + 1,
                   [](const auto& growth) { return growth.has_value(); }))
    return std::nullopt;
  Growth largest;
  for (std::size_t i = 0; i <= point; ++i) {
    if (!curve_[i]) continue;
    largest.resident = std::max(largest.resident, curve_[i]->resident);
    largest.files = std::max(largest.files, curve_[i]->files);
  }
  return largest;
}

void GrowthAlarm::record(const Vitals& stable) {
  if (stable.processes == 0) return;
  const Growth growth = grown(stable_, stable);
  auto& point = curve_[point_of(stable.requests)];
  if (!point) point = growth;
  point->resident = std::max(point->resident, growth.resident);
  point->files = std::max(point->files, growth.files);
}

std::optional<std::string> GrowthAlarm::look(TimePoint now, const Vitals& canary, const Vitals& stable) {
  record(stable);
  if (canary.processes == 0) return std::nullopt;
  const Growth growth = grown(canary_, canary);
  const auto known = of_stable(point_of(canary.requests));
  const Growth usual = known.value_or(Growth{});
  const auto exceeds = [](double ours, double theirs, double margin) { return ours > kFactor * theirs + margin; };
  const bool memory = exceeds(growth.resident, usual.resident, kResidentMargin) &&
                      (known || exceeds(canary.resident, stable.resident, kResidentMargin));
  const bool files =
      exceeds(growth.files, usual.files, kFilesMargin) && (known || exceeds(canary.files, stable.files, kFilesMargin));
  if (canary.requests < kMinRequests || !(memory || files)) {
    above_since_.reset();
    return std::nullopt;
  }
  if (!above_since_) above_since_ = now;
  if (now - *above_since_ < kSustained) return std::nullopt;
  constexpr double kMiB = 1 << 20;
  if (memory) {
    return fmt::format(
        "its memory has grown by {:.0f} MiB in {:.0f} requests, to {:.0f} MiB; that of stable is {:.0f} MiB",
        growth.resident / kMiB, canary.requests, canary.resident / kMiB, stable.resident / kMiB);
  }
  return fmt::format("it has opened {:.0f} more files in {:.0f} requests; stable has {:.0f}", growth.files,
                     canary.requests, stable.files);
}

}  // namespace gray::control
