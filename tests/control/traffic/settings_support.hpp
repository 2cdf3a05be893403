#pragma once
// Settings, views and tables for the tests of this folder.
#include <string>

#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"

namespace gray::test {

inline VersionSettings version_named(const std::string& name, double weight = 0) {
  VersionSettings version;
  version.name = name;
  version.command = {"node", "app.js"};
  version.cwd = "/srv";
  version.weight = weight;
  return version;
}

/// Service "web": v1 is stable, v2 has 5 percent, v3 none.
inline ServiceSettings web() {
  ServiceSettings service;
  service.name = "web";
  service.stable = "v1";
  service.versions = {version_named("v1"), version_named("v2", 5), version_named("v3")};
  return service;
}

inline Settings settings_of(ServiceSettings service) {
  Settings settings;
  settings.file = "/etc/grayd/grayd.toml";
  settings.listen = {*Address::parse("127.0.0.1:8000")};
  settings.services = {std::move(service)};
  return settings;
}

/// The memory of every process in a report.
inline std::uint64_t a_kilobyte(pid_t) { return 1024; }

inline WorkerView worker(const std::string& id, std::uint32_t cell, bool routable) {
  WorkerView view;
  view.id = id;
  view.pid = 100 + static_cast<pid_t>(cell);
  view.state = routable ? WorkerState::healthy : WorkerState::spawned;
  view.address = Address::parse("127.0.0.1:" + std::to_string(9000 + cell));
  view.generation = 7;
  view.cell = cell;
  view.routable = routable;
  return view;
}

inline VersionView version_view(const std::string& version, std::vector<WorkerView> workers) {
  return {"web", version, workers.empty() ? VersionState::starting : VersionState::serving, "", std::move(workers)};
}

}  // namespace gray::test
