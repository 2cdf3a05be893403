#include "grayd/doctor/status_facts.hpp"

#include <map>

#include "config/base/wall_time.hpp"

namespace gray::doctor {
namespace {

using nlohmann::json;

template <class Value>
Value member(const json& object, const char* key, Value otherwise) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) return otherwise;
  if constexpr (std::is_same_v<Value, std::string>)
    return found->is_string() ? found->template get<std::string>() : otherwise;
  else if constexpr (std::is_same_v<Value, bool>)
    return found->is_boolean() ? found->template get<bool>() : otherwise;
  else
    return found->is_number() ? found->template get<Value>() : otherwise;
}

std::string text(const json& object, const char* key) { return member<std::string>(object, key, {}); }

/// The members of a list; none if there is no such list.
const json& list(const json& object, const char* key) {
  static const json kNone = json::array();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_array() ? *found : kNone;
}

/// How long after its start each process was ready.
std::map<pid_t, Duration> ready_times(const json& events) {
  std::map<std::string, std::pair<pid_t, WallTime>> started;  // by worker
  std::map<pid_t, Duration> times;
  for (const json& event : list(events, "events")) {
    const std::string worker = text(event, "worker"), kind = text(event, "kind");
    const auto at = wall_time_from(text(event, "time"));
    if (!at) continue;
    if (kind == "worker-started") started[worker] = {member(event, "pid", 0), *at};
    const auto begin = started.find(worker);
    if (kind == "worker-ready" && begin != started.end() && *at >= begin->second.second)
      times.emplace(begin->second.first, *at - begin->second.second);
  }
  return times;
}

WorkerFacts worker_of(const json& one, const std::map<pid_t, Duration>& ready) {
  WorkerFacts worker;
  worker.id = text(one, "id");
  worker.pid = member(one, "pid", 0);
  worker.state = text(one, "state");
  worker.address = text(one, "address");
  worker.ready_by = text(one, "ready_by");
  worker.last_exit = text(one, "last_exit");
  worker.restarts = member(one, "restarts", 0u);
  if (const auto found = ready.find(worker.pid); worker.pid > 0 && found != ready.end())
    worker.ready_after = found->second;
  return worker;
}

ServiceFacts service_of(const json& one, const std::map<pid_t, Duration>& ready) {
  ServiceFacts service;
  service.name = text(one, "name");
  service.stable = text(one, "stable");
  service.configured_stable = text(one, "configured_stable");
  for (const json& entry : list(one, "versions")) {
    VersionFacts version;
    version.service = service.name;
    version.name = text(entry, "name");
    version.state = text(entry, "state");
    version.cause = text(entry, "cause");
    version.weight = member(entry, "weight", 0.0);
    version.configured_weight = member(entry, "configured_weight", 0.0);
    version.stable = version.name == service.stable;
    version.stopped = member(entry, "stopped", false);
    version.instances = member(entry, "instances", 0u);
    for (const json& worker : list(entry, "workers")) version.workers.push_back(worker_of(worker, ready));
    service.versions.push_back(std::move(version));
  }
  return service;
}

}  // namespace

Facts facts_of(const json& status, const json& events) {
  Facts facts;
  facts.version = text(status, "version");
  facts.pid = member(status, "pid", 0);
  facts.phase = text(status, "state");
  facts.config_changed = member(status, "config_changed", false);
  facts.table = member(status, "table", std::uint64_t{0});
  for (const json& router : list(status, "routers"))
    facts.routers.push_back(
        {member(router, "pid", 0), text(router, "state"), member(router, "table", std::uint64_t{0}), std::nullopt});
  for (const json& warning : list(status, "warnings"))
    facts.warnings.push_back(
        {text(warning, "cause"), text(warning, "service"), text(warning, "version"), text(warning, "text")});
  const auto ready = ready_times(events);
  for (const json& service : list(status, "services")) facts.services.push_back(service_of(service, ready));
  return facts;
}

void add_settings(Facts& facts, const Settings& settings) {
  if (facts.config) {
    facts.config->max_connections = settings.router.max_connections;
    facts.config->memory_budget = settings.memory_budget;
  }
  for (ServiceFacts& service : facts.services) {
    const ServiceSettings* own = settings.service(service.name);
    if (own == nullptr) continue;
    service.max_sockets = own->limits.max_sockets;
    for (VersionFacts& version : service.versions) {
      const VersionSettings* form = own->version(version.name);
      if (form == nullptr && own->release) form = &own->release->form;
      if (form == nullptr) continue;
      version.automatic = form->ready.automatic;
      version.ready_timeout = form->ready.timeout;
      version.memory_limit = form->memory;
    }
  }
}

}  // namespace gray::doctor
