#include "grayd/releases/minute_sampler.hpp"

namespace gray::master {

void MinuteSampler::start(TimePoint now) {
  if (sampled_) return;
  for (const auto& service : to_.settings.services)
    for (const auto& version : service.versions)
      if (const auto row = to_.rows.find(service.name, version.name))
        minutes_.try_emplace({service.name, version.name}, now, *to_.segment, *row);
  sampled_ = now;
  timer_.start();
}

void MinuteSampler::stop() { timer_.stop(); }

/// A version without a row has been removed.
void MinuteSampler::sample(TimePoint now) {
  std::erase_if(minutes_, [this](const auto& one) { return !to_.rows.find(one.first.first, one.first.second); });
  for (const auto& service : to_.settings.services) {
    for (const auto& version : service.versions) {
      const auto row = to_.rows.find(service.name, version.name);
      if (!row) continue;
      auto& minute = minutes_.try_emplace({service.name, version.name}, *sampled_, *row).first->second;
      minute.sample(now, *to_.segment, *row);
    }
  }
  sampled_ = now;
}

control::MinuteFigures MinuteSampler::figures(const std::string& service, const std::string& version,
                                              TimePoint now) const {
  const auto row = to_.rows.find(service, version);
  if (!row || !sampled_) return {};
  const auto known = minutes_.find({service, version});
  const control::LastMinute fresh(*sampled_, *row);
  return (known == minutes_.end() ? fresh : known->second).figures(now, *to_.segment, *row);
}

}  // namespace gray::master
