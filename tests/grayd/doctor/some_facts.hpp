#pragma once
// A grayd with nothing to find: a service with a stable version and a canary, one worker each.
#include "grayd/doctor/checkup.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::test {

inline doctor::VersionFacts some_version(const std::string& name, bool stable) {
  doctor::VersionFacts version;
  version.service = "web";
  version.name = name;
  version.state = "serving";
  version.stable = stable;
  version.weight = version.configured_weight = stable ? 95 : 5;
  version.instances = 1;
  version.automatic = true;
  version.ready_timeout = Duration{60'000};
  doctor::WorkerFacts worker;
  worker.id = "web@" + name + "#0";
  worker.pid = stable ? 11 : 12;
  worker.state = "healthy";
  worker.address = stable ? "127.0.0.1:4001" : "127.0.0.1:4002";
  worker.ready_by = "ipc";
  worker.ready_after = Duration{300};
  const auto port = static_cast<std::uint16_t>(stable ? 4001 : 4002);
  worker.ports = std::vector<init::OpenPort>{{port, false, false, 1}};
  worker.leader = doctor::ProcessFacts{worker.pid, "node"};
  version.workers.push_back(worker);
  return version;
}

inline doctor::Facts some_facts() {
  doctor::Facts facts;
  facts.version = facts.own_version = "0.1.0";
  facts.socket = "/run/grayd/grayd.sock";
  facts.pid = 10;
  facts.phase = "serving";
  facts.table = 7;
  facts.routers.push_back({13, "ready", 7, 20'000});
  doctor::ServiceFacts service;
  service.name = "web";
  service.stable = service.configured_stable = "v1";
  service.max_sockets = 64;
  service.versions = {some_version("v1", true), some_version("v2", false)};
  facts.services.push_back(service);
  facts.config = doctor::ConfigFacts{"/etc/grayd/grayd.toml", "", 10'000, 512ull << 20};
  facts.program = doctor::ProgramFacts{"/usr/bin/grayd", false, false};
  facts.admin = doctor::FileFacts{facts.socket, 0660, "root", "grayd"};
  facts.memory = doctor::MemoryFacts{8ull << 30, 0};
  facts.listen_backlog = 4'096;
  facts.clock_set = true;
  facts.saved_ahead = Duration{-1'000};
  facts.stores = {{"state_dir", "/var/lib/grayd", 0, 50ull << 30, 100ull << 30},
                  {"access_log", "/var/log/grayd/access.log", 5ull << 20, 50ull << 30, 100ull << 30}};
  return facts;
}

/// The findings of one check.
inline std::vector<doctor::Finding> of(const doctor::Checkup& checkup, const std::string& check) {
  std::vector<doctor::Finding> found;
  for (const doctor::Finding& finding : checkup.findings)
    if (finding.check == check) found.push_back(finding);
  return found;
}

inline bool mentions(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace gray::test
