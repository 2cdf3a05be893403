#include "grayd/demo/tally.hpp"

#include "grayd/demo/demo_plan.hpp"

namespace gray::demo {
namespace {

void count(Faults& faults, const Met& met) {
  ++faults.requests;
  faults.users.insert(met.user);
  if (!faults.first || met.at < *faults.first) faults.first = met.at;
}

}  // namespace

void Tally::add(const Met& met) {
  ++requests_;
  VersionTally& version = versions_[met.version];
  ++version.requests;
  if (met.status >= 500) count(version.failed, met);
  if (met.took > kLatency) count(version.late, met);
}

void Tally::forget_faults() {
  for (auto& [name, version] : versions_) version.failed = version.late = {};
}

const VersionTally& Tally::of(const std::string& version) const {
  static const VersionTally kNone;
  const auto found = versions_.find(version);
  return found == versions_.end() ? kNone : found->second;
}

}  // namespace gray::demo
