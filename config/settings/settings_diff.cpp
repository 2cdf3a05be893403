#include "config/settings/settings_diff.hpp"

#include <algorithm>
#include <optional>

#include "config/settings/capacity.hpp"

namespace gray {
namespace {

using Kind = Change::Kind;
using Problem = std::optional<Refusal>;

Refusal conflict(std::string message) { return {ExitCode::conflict, std::move(message)}; }

/// Settings that cannot change while grayd runs, with their keys in the file.
Problem needs_restart(const Settings& old, const Settings& fresh) {
  const std::pair<const char*, bool> fixed[] = {
      {"listen.http", old.listen != fresh.listen},
      {"listen.https", old.https != fresh.https},
      {"listen.proxy_protocol", old.proxy_protocol != fresh.proxy_protocol},
      {"listen.admin", old.admin != fresh.admin},
      {"listen.metrics", old.metrics != fresh.metrics},
      {"listen.dashboard", old.dashboard != fresh.dashboard},
      {"admin.write", old.page_may_write != fresh.page_may_write},
      {"router.threads", old.router.threads != fresh.router.threads},
      {"state_dir", old.state_dir != fresh.state_dir},
      {"access_log", old.access_log != fresh.access_log},
      {"memory.budget", old.memory_budget != fresh.memory_budget},
  };
  std::string names;
  for (const auto& [name, changed] : fixed)
    if (changed) names += (names.empty() ? "" : ", ") + std::string(name);
  if (names.empty()) return std::nullopt;
  return conflict("a change of " + names + " needs a restart: restart grayd, or put the old value back and reload");
}

const LiveService* live_service(const std::vector<LiveService>& live, std::string_view name) {
  const auto found = std::find_if(live.begin(), live.end(), [&](const LiveService& one) { return one.name == name; });
  return found == live.end() ? nullptr : &*found;
}

Problem removed_version(const LiveService& live, std::string_view name) {
  const std::string full = live.name + " " + std::string(name);
  if (live.stable == name)
    return conflict("version " + full + " is stable and cannot be removed: make a different version stable first");
  for (const LiveVersion& version : live.versions)
    if (version.name == name && version.weight > 0)
      return conflict("version " + full + " carries traffic and cannot be removed: grayctl shift " + full + " 0 first");
  return std::nullopt;
}

Problem removed_service(const LiveService& live) {
  for (const LiveVersion& version : live.versions)
    if (version.serving)
      return conflict("service " + live.name + " carries traffic and cannot be removed: grayctl stop " + live.name +
                      " " + version.name + " first");
  return std::nullopt;
}

/// Only one version besides stable may have a weight, and a new version starts with the weight in the file.
Problem second_weight(const LiveService& live, const ServiceSettings& old, const ServiceSettings& fresh) {
  for (const VersionSettings& added : fresh.versions) {
    if (old.version(added.name) != nullptr || added.weight <= 0) continue;
    for (const LiveVersion& version : live.versions)
      if (version.name != live.stable && version.name != added.name && version.weight > 0)
        return conflict("new version " + live.name + " " + added.name + " has a weight while " + version.name +
                        " carries traffic: remove its weight, or grayctl shift " + live.name + " " + version.name +
                        " 0 first");
  }
  return std::nullopt;
}

Problem service_problem(const ServiceSettings& old, const Settings& fresh, const std::vector<LiveService>& live) {
  const LiveService* now = live_service(live, old.name);
  if (now == nullptr) return std::nullopt;
  const ServiceSettings* kept = fresh.service(old.name);
  if (kept == nullptr) return removed_service(*now);
  for (const VersionSettings& version : old.versions)
    if (kept->version(version.name) == nullptr)
      if (auto problem = removed_version(*now, version.name)) return problem;
  return second_weight(*now, old, *kept);
}

/// A removed version keeps its row in the shared segment until it is drained, and the new ones need rows at once.
Problem too_many(const Settings& old, const Settings& fresh) {
  std::size_t rows = 0;
  for (const ServiceSettings& service : fresh.services) rows += service.versions.size();
  for (const ServiceSettings& service : old.services) {
    const ServiceSettings* kept = fresh.service(service.name);
    for (const VersionSettings& version : service.versions)
      if (kept == nullptr || kept->version(version.name) == nullptr) ++rows;
  }
  if (rows <= segment::kVersions) return std::nullopt;
  return conflict("old and new versions together are more than " + std::to_string(segment::kVersions) +
                  ": remove versions in one reload and add others in the next");
}

Problem problem_of(const Settings& old, const Settings& fresh, const std::vector<LiveService>& live) {
  if (auto problem = needs_restart(old, fresh)) return problem;
  for (const ServiceSettings& service : old.services)
    if (auto problem = service_problem(service, fresh, live)) return problem;
  return too_many(old, fresh);
}

/// Whether any setting differs that does not have its own kind of change.
bool differs_otherwise(const VersionSettings& old, VersionSettings fresh) {
  fresh.instances = old.instances;
  fresh.weight = old.weight;
  fresh.deployed = old.deployed;
  return fresh != old;
}

bool routes_differ(const ServiceRouting& old, const ServiceRouting& fresh) { return old != fresh; }

void change_version(Changes& changes, const std::string& service, const VersionSettings& old,
                    const VersionSettings& fresh) {
  if (!same_process(old, fresh))
    changes.push_back({Kind::restart_version, service, fresh.name});
  else if (differs_otherwise(old, fresh))
    changes.push_back({Kind::update_version, service, fresh.name});
  if (old.instances != fresh.instances) changes.push_back({Kind::resize_version, service, fresh.name});
}

void add_service(Changes& changes, const ServiceSettings& fresh) {
  changes.push_back({Kind::add_service, fresh.name, {}});
  for (const VersionSettings& version : fresh.versions)
    changes.push_back({Kind::add_version, fresh.name, version.name});
}

void change_service(Changes& changes, const ServiceSettings& old, const ServiceSettings& fresh) {
  for (const VersionSettings& version : fresh.versions)
    if (old.version(version.name) == nullptr) changes.push_back({Kind::add_version, fresh.name, version.name});
  for (const VersionSettings& version : fresh.versions)
    if (const VersionSettings* before = old.version(version.name))
      change_version(changes, fresh.name, *before, version);
  if (routes_differ(old, fresh)) changes.push_back({Kind::reroute_service, fresh.name, {}});
  if (old.release != fresh.release || old.rollout != fresh.rollout)
    changes.push_back({Kind::change_release, fresh.name, {}});
}

void remove_from(Changes& changes, const ServiceSettings& old, const ServiceSettings* kept) {
  for (const VersionSettings& version : old.versions)
    if (kept == nullptr || kept->version(version.name) == nullptr)
      changes.push_back({Kind::remove_version, old.name, version.name});
  if (kept == nullptr) changes.push_back({Kind::remove_service, old.name, {}});
}

}  // namespace

Diff diff(const Settings& old, const Settings& fresh, const std::vector<LiveService>& live) {
  if (auto problem = problem_of(old, fresh, live)) return *problem;
  Changes changes;
  if (old.router != fresh.router) changes.push_back({Kind::router, {}, {}});
  if (old.leak_detection != fresh.leak_detection) changes.push_back({Kind::memory, {}, {}});
  if (old.tls != fresh.tls) changes.push_back({Kind::certificates, {}, {}});
  for (const ServiceSettings& service : fresh.services) {
    const ServiceSettings* before = old.service(service.name);
    if (before == nullptr)
      add_service(changes, service);
    else
      change_service(changes, *before, service);
  }
  for (const ServiceSettings& service : old.services) remove_from(changes, service, fresh.service(service.name));
  return changes;
}

}  // namespace gray
