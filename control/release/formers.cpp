#include "control/release/formers.hpp"

#include <algorithm>

#include "control/traffic/weights.hpp"

namespace gray::control {

ReleaseSettings retention_of(const ServiceSettings& service) { return service.release.value_or(ReleaseSettings{}); }

const ServiceState& fact_of(const State& state, const std::string& service) {
  static const ServiceState none;
  const auto found = state.find(service);
  return found == state.end() ? none : found->second;
}

const Former* former_of(const ServiceState& fact, std::string_view version) {
  const auto found = std::ranges::find_if(fact.formers, [&](const Former& former) { return former.name == version; });
  return found == fact.formers.end() ? nullptr : &*found;
}

std::optional<WallTime> warm_until(const ServiceSettings& service, const Former& former) {
  return former.warm ? std::optional(former.since + retention_of(service).warm) : std::nullopt;
}

bool is_removing(const ServiceState& fact, std::string_view version) {
  const auto found = fact.deployed.find(std::string(version));
  return found != fact.deployed.end() && found->second.removing;
}

const Rollout* running_rollout(const ServiceState& fact) {
  return fact.rollout && is_running(fact.rollout->state) ? &*fact.rollout : nullptr;
}

void abort_rollout(ServiceState& fact, const std::string& actor, WallTime now) {
  if (running_rollout(fact) == nullptr) return;
  fact.rollout->state = RolloutState::aborted;
  fact.rollout->since = now;
  fact.rollout->actor = actor;
  fact.rollout->reason = "undo of the stable version";
}

std::string undo_target(const ServiceSettings& service, const State& state) {
  const auto& fact = fact_of(state, service.name);
  for (auto former = fact.formers.rbegin(); former != fact.formers.rend(); ++former)
    if (service.version(former->name) != nullptr && !is_removing(fact, former->name)) return former->name;
  return {};
}

ServiceState make_stable(const ServiceSettings& service, const State& state, const std::string& version, WallTime now) {
  const std::string before = shares_of(service, state).stable;
  ServiceState next = fact_of(state, service.name);
  next.stable = version;
  for (const VersionSettings& other : service.versions)
    if (other.weight > 0 || next.weights.contains(other.name) || other.name == before) next.weights[other.name] = 0;
  next.weights.erase(version);
  next.salts.erase(version);
  next.stopped.erase(version);
  next.aborted.erase(version);
  next.withdrawn.erase(version);
  std::erase_if(next.formers, [&](const Former& one) { return one.name == version || one.name == before; });
  next.formers.push_back({before, now, !next.stopped.contains(before)});
  return next;
}

ServiceState gone_back(const ServiceSettings& service, const State& state, const std::string& version, WallTime now) {
  const Shares before = shares_of(service, state);
  ServiceState next = make_stable(service, state, version, now);
  next.withdrawn.insert(before.stable);
  if (!before.canary.empty()) next.withdrawn.insert(before.canary);
  if (const Rollout* rollout = running_rollout(next)) next.withdrawn.insert(rollout->version);
  next.withdrawn.erase(version);
  return next;
}

}  // namespace gray::control
