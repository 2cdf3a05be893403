#include "control/traffic/rows.hpp"

#include <algorithm>

#include "config/shared/totals.hpp"

namespace gray::control {

Rows::Rows(segment::Segment& segment) : segment_(segment) {
  for (std::uint32_t row = 0; row < segment::kVersions; ++row) free_.push_back(row);
}

std::optional<std::uint32_t> Rows::take(const std::string& service, const std::string& version) {
  if (const auto row = find(service, version)) return row;
  const auto unused = std::find_if(free_.begin(), free_.end(), [&](std::uint32_t candidate) {
    const auto totals = segment::sum(*segment_, candidate);
    return totals.in_flight == 0 && totals.waiting == 0;
  });
  if (unused == free_.end()) return std::nullopt;
  const auto row = *unused;
  free_.erase(unused);
  segment_.clear_version(row);
  taken_.emplace(std::pair(service, version), row);
  return row;
}

std::optional<std::uint32_t> Rows::find(const std::string& service, const std::string& version) const {
  const auto found = taken_.find({service, version});
  if (found == taken_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::pair<std::string, std::string>> Rows::owner_of(std::uint32_t row) const {
  const auto found = std::find_if(taken_.begin(), taken_.end(), [row](const auto& one) { return one.second == row; });
  if (found == taken_.end()) return std::nullopt;
  return found->first;
}

void Rows::keep(const std::function<bool(const std::string&, const std::string&)>& used) {
  std::erase_if(taken_, [&](const auto& entry) {
    const auto& [version, row] = entry;
    if (used(version.first, version.second)) return false;
    free_.insert(free_.begin(), row);  // used again first: a row that was never used has no memory yet
    return true;
  });
}

}  // namespace gray::control
