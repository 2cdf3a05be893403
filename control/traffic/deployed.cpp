#include "control/traffic/deployed.hpp"

#include <fmt/core.h>

#include "config/settings/capacity.hpp"
#include "control/traffic/weights.hpp"

namespace gray::control {

Settings with_deployed(Settings settings, const State& state) {
  for (ServiceSettings& service : settings.services) {
    std::erase_if(service.versions, [](const VersionSettings& version) { return version.deployed; });
    const auto found = state.find(service.name);
    if (found == state.end()) continue;
    for (const auto& [name, one] : found->second.deployed) {
      if (service.version(name) != nullptr) continue;
      service.versions.push_back(one.settings);
      service.versions.back().deployed = true;
    }
  }
  return settings;
}

bool is_deployed(const ServiceSettings& service, std::string_view version) {
  const auto* found = service.version(version);
  return found != nullptr && found->deployed;
}

std::string deployed_twice(const Settings& file, const State& state) {
  std::string text;
  for (const ServiceSettings& service : file.services) {
    const auto found = state.find(service.name);
    if (found == state.end()) continue;
    for (const auto& [name, one] : found->second.deployed) {
      const auto* version = service.version(name);
      if (version != nullptr && !version->deployed)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", service.name, name);
    }
  }
  return text;
}

std::string missing_stable(const Settings& settings, const State& state) {
  for (const ServiceSettings& service : settings.services) {
    const auto stable = shares_of(service, state).stable;
    if (service.version(stable) != nullptr) continue;
    return fmt::format(
        "service {0} has no stable version: \"{1}\" is neither in the file nor deployed; add "
        "[service.{0}.version.{1}], or name a version that exists in stable",
        service.name, stable);
  }
  return {};
}

Settings at_start(Settings file, const State& state) {
  auto settings = with_deployed(std::move(file), state);
  for (ServiceSettings& service : settings.services) service.stable = shares_of(service, state).stable;
  return settings;
}

std::string no_room(const Settings& settings, std::size_t rows_in_use, std::uint32_t instances) {
  if (rows_in_use >= segment::kVersions)
    return fmt::format("there are {} versions already, and grayd can have {}: remove one first", rows_in_use,
                       segment::kVersions);
  std::uint32_t workers = instances;
  for (const ServiceSettings& service : settings.services)
    for (const VersionSettings& version : service.versions) workers += version.instances;
  // A rolling restart may need the other half.
  if (workers <= segment::kWorkers / 2) return {};
  return fmt::format("all versions together would have {} instances, and grayd can have {}: remove a version first",
                     workers, segment::kWorkers / 2);
}

}  // namespace gray::control
