#include "control/release/upkeep.hpp"

#include <algorithm>

#include "control/release/formers.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

void look_at_formers(Upkeep& all, const ServiceSettings& service, const State& state, WallTime now) {
  const auto& fact = fact_of(state, service.name);
  const auto shares = shares_of(service, state);
  const auto retention = retention_of(service);
  std::size_t newer = 0;
  for (auto former = fact.formers.rbegin(); former != fact.formers.rend(); ++former) {
    if (service.version(former->name) == nullptr || is_removing(fact, former->name)) continue;
    const std::size_t rank = newer++;
    const auto* rollout = running_rollout(fact);
    if (shares.of(former->name) > 0 || (rollout != nullptr && rollout->version == former->name)) continue;
    const auto elapsed = std::max(Duration{0}, std::chrono::duration_cast<Duration>(now - former->since));
    const bool over = !former->warm || elapsed >= retention.warm;
    if (rank >= std::max(retention.keep, 1u) || (rank >= retention.keep && over)) {
      all.chores.push_back({Chore::Kind::drop, service.name, former->name});
    } else if (former->warm && over) {
      all.chores.push_back({Chore::Kind::cool, service.name, former->name});
    } else if (former->warm) {
      const Duration left = retention.warm - elapsed;
      all.next = all.next ? std::min(*all.next, left) : left;
    }
  }
}

void look_at_removed(Upkeep& all, const ServiceSettings& service, const State& state,
                     const std::vector<VersionView>& views) {
  for (const auto& [name, one] : fact_of(state, service.name).deployed) {
    const auto* view = view_of(views, service.name, name);
    if (one.removing && (view == nullptr || view->state == VersionState::stopped))
      all.chores.push_back({Chore::Kind::forget, service.name, name});
  }
}

void look_at_aborted(Upkeep& all, const ServiceSettings& service, const State& state, WallTime now) {
  const auto& fact = fact_of(state, service.name);
  const auto shares = shares_of(service, state);
  for (const auto& [name, since] : fact.aborted) {
    const auto* rollout = running_rollout(fact);
    const bool in_use = shares.of(name) > 0 || name == shares.stable || former_of(fact, name) != nullptr ||
                        (rollout != nullptr && rollout->version == name);
    if (in_use || is_removing(fact, name)) continue;
    const auto left =
        retention_of(service).warm - std::max(Duration{0}, std::chrono::duration_cast<Duration>(now - since));
    if (left <= Duration{0}) {
      all.chores.push_back({Chore::Kind::discard, service.name, name});
    } else {
      all.next = all.next ? std::min(*all.next, left) : left;
    }
  }
}

}  // namespace

Upkeep upkeep(const Settings& settings, const State& state, const std::vector<VersionView>& views, WallTime now) {
  Upkeep all;
  for (const ServiceSettings& service : settings.services) {
    look_at_formers(all, service, state, now);
    look_at_aborted(all, service, state, now);
    look_at_removed(all, service, state, views);
  }
  return all;
}

void apply(ServiceState& fact, const Chore& chore, bool deployed) {
  const auto& version = chore.version;
  switch (chore.kind) {
    case Chore::Kind::cool:
      for (Former& former : fact.formers)
        if (former.name == version) former.warm = false;
      fact.stopped.insert(version);
      return;
    case Chore::Kind::drop:
      if (deployed) return mark_removed(fact, version);
      std::erase_if(fact.formers, [&](const Former& one) { return one.name == version; });
      fact.stopped.insert(version);
      return;
    case Chore::Kind::discard: return mark_removed(fact, version);
    case Chore::Kind::forget:
      fact.deployed.erase(version);
      fact.aborted.erase(version);
      fact.stopped.erase(version);
      fact.weights.erase(version);
      fact.salts.erase(version);
      return;
  }
}

void mark_removed(ServiceState& fact, const std::string& version) {
  std::erase_if(fact.formers, [&](const Former& one) { return one.name == version; });
  if (const auto found = fact.deployed.find(version); found != fact.deployed.end()) found->second.removing = true;
  fact.stopped.insert(version);
}

State without_removed(State saved) {
  for (auto& [name, fact] : saved) {
    std::vector<std::string> removed;
    for (const auto& [version, one] : fact.deployed)
      if (one.removing) removed.push_back(version);
    for (const auto& version : removed) apply(fact, {Chore::Kind::forget, name, version}, true);
  }
  return saved;
}

State cooled(State state, const Settings& settings, WallTime now) {
  for (const Chore& chore : upkeep(settings, state, {}, now).chores)
    if (chore.kind == Chore::Kind::cool) apply(state[chore.service], chore, false);
  return state;
}

}  // namespace gray::control
