#include "control/judge/growth_curve.hpp"

#include <algorithm>
#include <cmath>

namespace gray::control {

Growth grown(Vitals& first, const Vitals& now) {
  if (first.processes != now.processes) first = now;
  return {now.memory - first.memory, now.files - first.files};
}

std::uint32_t GrowthCurve::point_of(double requests) {
  return std::min(kPoints - 1, static_cast<std::uint32_t>(4 * std::log2(1 + std::max(0.0, requests))));
}

void GrowthCurve::record(const Vitals& vitals) {
  if (vitals.processes == 0) return;
  const Growth growth = grown(first_, vitals);
  const auto at = point_of(vitals.requests);
  auto point = std::ranges::lower_bound(points_, at, {}, &Point::at);
  if (point == points_.end() || point->at != at) point = points_.insert(point, {at, growth});
  point->largest.memory = std::max(point->largest.memory, growth.memory);
  point->largest.files = std::max(point->largest.files, growth.files);
}

std::optional<Growth> GrowthCurve::of(double requests) const {
  const auto at = point_of(requests);
  if (points_.empty() || points_.front().at > at) return std::nullopt;
  Growth largest;
  for (const Point& point : points_) {
    if (point.at > at) break;
    largest.memory = std::max(largest.memory, point.largest.memory);
    largest.files = std::max(largest.files, point.largest.files);
  }
  return largest;
}

}  // namespace gray::control
