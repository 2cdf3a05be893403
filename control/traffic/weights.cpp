#include "control/traffic/weights.hpp"

#include <fmt/core.h>

#include <vector>

#include "config/base/diagnostics.hpp"
#include "control/traffic/deployed.hpp"

namespace gray::control {
namespace {

ShiftVerdict refuse(ExitCode code, std::string error) { return {code, std::move(error), {}, false}; }

template <typename Named>
std::string unknown(std::string_view what, const std::string& wanted, const std::vector<Named>& known) {
  std::vector<std::string_view> names;
  std::string list;
  for (const auto& one : known) {
    names.push_back(one.name);
    list += (list.empty() ? "" : ", ") + one.name;
  }
  return fmt::format("there is no {} \"{}\"{} (known: {})", what, wanted, did_you_mean(wanted, names), list);
}

const ServiceState& state_of(const State& state, const std::string& service) {
  static const ServiceState none;
  const auto found = state.find(service);
  return found == state.end() ? none : found->second;
}

double weight_of(const VersionSettings& version, const ServiceState& state) {
  const auto set = state.weights.find(version.name);
  return set == state.weights.end() ? version.weight : set->second;
}

std::string stable_is_not_shifted(const ServiceSettings& service, const Shares& now) {
  auto other = now.canary;
  for (const auto& version : service.versions) {
    if (other.empty() && version.name != now.stable) other = version.name;
  }
  if (other.empty()) return now.stable + " is stable; add a second version to the configuration first";
  return fmt::format("{} is stable; shift the canary instead: grayctl shift {} {} N", now.stable, service.name, other);
}

/// A weight that was set wins over a weight in the file; among equals the order of the file decides.
const VersionSettings* canary_of(const ServiceSettings& service, const ServiceState& state, const std::string& stable) {
  const VersionSettings* proposed = nullptr;
  for (const auto& version : service.versions) {
    if (version.name == stable || weight_of(version, state) <= 0) continue;
    if (state.weights.contains(version.name)) return &version;
    if (proposed == nullptr) proposed = &version;
  }
  return proposed;
}

}  // namespace

double Shares::of(std::string_view version) const {
  if (version == stable) return 100 - weight;
  return !canary.empty() && version == canary ? weight : 0;
}

Shares shares_of(const ServiceSettings& service, const State& state) {
  const auto& fact = state_of(state, service.name);
  Shares shares;
  shares.stable = service.version(fact.stable) != nullptr ? fact.stable : service.stable;
  if (const auto* canary = canary_of(service, fact, shares.stable)) {
    shares.canary = canary->name;
    shares.weight = weight_of(*canary, fact);
    shares.salt = salt_of(service, state, canary->name);
  }
  return shares;
}

std::string salt_of(const ServiceSettings& service, const State& state, const std::string& version) {
  const auto& salts = state_of(state, service.name).salts;
  const auto set = salts.find(version);
  return set == salts.end() ? service.name + "/" + version : set->second;
}

Split split_of(const ServiceSettings& service, const State& state) {
  const auto shares = shares_of(service, state);
  Split split{shares.stable, {}};
  for (const auto& version : {shares.stable, shares.canary})
    if (const double weight = shares.of(version); !version.empty() && weight > 0) split.weights[version] = weight;
  return split;
}

Shares configured_shares(const ServiceSettings& service) { return shares_of(service, {}); }

std::string unknown_service(const Settings& settings, const std::string& service) {
  return settings.service(service) != nullptr ? std::string() : unknown("service", service, settings.services);
}

std::string unknown_version(const ServiceSettings& service, const std::string& version) {
  if (service.version(version) != nullptr) return {};
  return unknown("version of " + service.name, version, service.versions);
}

bool carries_traffic(const Settings& settings, const State& state, const std::string& service,
                     const std::string& version) {
  const auto* found = settings.service(service);
  if (found == nullptr) return false;
  const auto shares = shares_of(*found, state);
  return version == shares.stable || version == shares.canary;
}

bool is_stopped(const State& state, const std::string& service, const std::string& version) {
  return state_of(state, service).stopped.contains(version);
}

bool is_withdrawn(const State& state, const std::string& service, const std::string& version) {
  return state_of(state, service).withdrawn.contains(version);
}

bool takes_targeted_users(const State& state, const std::string& service, const std::string& version) {
  return !is_stopped(state, service, version) && !is_withdrawn(state, service, version);
}

ShiftVerdict judge_shift(const Settings& settings, const State& published, const State& wanted,
                         const ShiftOrder& order) {
  const auto& [service, version, percent, yes] = order;
  const auto* found = settings.service(service);
  if (found == nullptr) return refuse(ExitCode::usage, unknown_service(settings, service));
  if (auto error = unknown_version(*found, version); !error.empty()) return refuse(ExitCode::usage, std::move(error));
  if (!(percent >= 0 && percent <= 100)) {
    return refuse(ExitCode::usage, fmt::format("{} is not a percentage; give a number from 0 to 100", percent));
  }
  const auto now = shares_of(*found, wanted);
  if (version == now.stable) return refuse(ExitCode::usage, stable_is_not_shifted(*found, now));
  if (percent > 0 && !now.canary.empty() && now.canary != version) {
    return refuse(ExitCode::conflict,
                  fmt::format("{} already has {}% of {}; only one version beside stable may have a weight: "
                              "grayctl shift {} {} 0 first",
                              now.canary, now.weight, service, service, now.canary));
  }
  if (percent > now.of(version) && is_stopped(wanted, service, version)) {
    return refuse(ExitCode::conflict, fmt::format("{0} of {1} is stopped and cannot serve users; start it first: "
                                                  "grayctl start {1} {0}",
                                                  version, service));
  }
  auto next = state_of(wanted, service);
  next.weights[version] = percent;
  if (percent > 0) next.withdrawn.erase(version);
  return {ExitCode::ok, {}, std::move(next), percent < shares_of(*found, published).of(version)};
}

State pruned(const State& state, const Settings& settings) {
  State kept;
  for (const auto& [name, fact] : state) {
    const auto* service = settings.service(name);
    if (service == nullptr) continue;
    auto& one = kept[name] = fact;
    if (service->version(one.stable) == nullptr) one.stable.clear();
    const auto& stable = one.stable.empty() ? service->stable : one.stable;
    const auto is_gone = [&](const auto& version) { return !service->version(version) || version == stable; };
    const auto gone = [&](const auto& entry) { return is_gone(entry.first); };
    std::erase_if(one.weights, gone);
    std::erase_if(one.salts, gone);
    std::erase_if(one.withdrawn, is_gone);
    std::erase_if(one.stopped, [&](const auto& version) { return service->version(version) == nullptr; });
    std::erase_if(one.deployed, [&](const auto& entry) { return !is_deployed(*service, entry.first); });
    std::erase_if(one.aborted, [&](const auto& entry) { return !is_deployed(*service, entry.first); });
    std::erase_if(one.formers, [&](const Former& former) { return service->version(former.name) == nullptr; });
  }
  return kept;
}

State state_at_start(const State& saved, const Settings& settings) {
  auto state = pruned(saved, settings);
  for (auto& [name, fact] : state) {
    const auto stable = shares_of(*settings.service(name), state).stable;
    if (!fact.was_stable.empty() && fact.was_stable != stable) fact.stopped.erase(stable);
    fact.was_stable.clear();
  }
  std::erase_if(state, [](const auto& entry) { return entry.second == ServiceState{}; });
  return state;
}

State with_roles(State state, const Settings& settings) {
  std::erase_if(state, [](const auto& entry) { return entry.second == ServiceState{}; });
  for (auto& [name, fact] : state)
    if (const auto* service = settings.service(name)) fact.was_stable = shares_of(*service, state).stable;
  return state;
}

std::string dropped(const State& before, const State& after) {
  std::string text;
  const auto add = [&](const char* what, const std::string& service, const std::string& version) {
    text += fmt::format("{}the {} {} {}", text.empty() ? "" : ", ", what, service, version);
  };
  for (const auto& [name, fact] : before) {
    const auto& kept = state_of(after, name);
    if (fact.stable != kept.stable) add("choice of the stable version", name, fact.stable);
    for (const auto& [version, weight] : fact.weights)
      if (!kept.weights.contains(version)) add("weight of", name, version);
    for (const auto& [version, salt] : fact.salts)
      if (!kept.salts.contains(version)) add("salt of", name, version);
    for (const auto& version : fact.stopped)
      if (!kept.stopped.contains(version)) add("stop of", name, version);
    for (const auto& [version, one] : fact.deployed)
      if (!kept.deployed.contains(version)) add("deployed version", name, version);
  }
  return text;
}

}  // namespace gray::control
