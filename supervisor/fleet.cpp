#include "supervisor/fleet.hpp"

#include <algorithm>

namespace gray::supervisor {

std::unique_ptr<Version> Fleet::make(const Key& key) {
  const auto touched = [this, key] {
    touched_.insert(key);
    wake_();
  };
  return std::make_unique<Version>(context_, touched, key.first, key.second, seeds_());
}

Version& Fleet::get(const std::string& service, const std::string& name, bool probing, TimePoint now) {
  const Key key{service, name};
  auto& version = versions_[key];
  if (!version) {
    version = make(key);
    version->group.probing(probing, now);
  }
  return *version;
}

Version* Fleet::find(const std::string& service, const std::string& name) const {
  const auto found = versions_.find({service, name});
  return found == versions_.end() ? nullptr : found->second.get();
}

std::vector<const Worker*> Fleet::workers() const {
  std::vector<const Worker*> all;
  for (const auto& [key, version] : versions_)
    for (const auto& [number, worker] : version->workers) all.push_back(worker.get());
  return all;
}

bool Fleet::empty() const {
  return std::ranges::all_of(versions_, [](const auto& entry) { return entry.second->group.empty(); });
}

void Fleet::touch(const Version& version) {
  touched_.insert({version.service, version.name});
  wake_();
}

void Fleet::touch_all() {
  for (const auto& [key, version] : versions_) touched_.insert(key);
  wake_();
}

std::vector<Version*> Fleet::take(TimePoint now) {
  std::set<Key> keys = std::exchange(touched_, {});
  for (Key& key : due_.due(now)) keys.insert(std::move(key));
  std::vector<Version*> taken;
  for (const Key& key : keys)
    if (const auto found = versions_.find(key); found != versions_.end()) taken.push_back(found->second.get());
  return taken;
}

void Fleet::served(Version& version) {
  const Key key{version.service, version.name};
  const bool ended = version.forget && version.group.empty();
  due_.set(key, ended ? std::nullopt : version.next_turn());
  if (!ended && version.group.startable())
    startable_.insert(key);
  else
    startable_.erase(key);
  if (ended) versions_.erase(key);
}

std::vector<Version*> Fleet::startable() const {
  std::vector<Version*> all;
  for (const Key& key : startable_) all.push_back(versions_.at(key).get());
  return all;
}

}  // namespace gray::supervisor
