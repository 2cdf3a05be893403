#include "config/shared/routing_table.hpp"

#include "config/base/json_fields.hpp"
#include "config/shared/limits_json.hpp"
#include "config/shared/segment.hpp"

namespace gray {
namespace {

using nlohmann::json;

json to_json(const WorkerRoute& worker) {
  return {
      {"cell", worker.cell}, {"generation", worker.generation}, {"id", worker.id}, {"address", worker.address.text()}};
}

WorkerRoute worker_from(const json& from) {
  return {.cell = json_number<std::uint32_t>(from, "cell", segment::kWorkers - 1),
          .generation = json_number<std::uint64_t>(from, "generation"),
          .id = json_text(from, "id"),
          .address = json_parsed<Address>(json_field(from, "address"))};
}

std::uint64_t generation_from(const json& from) {
  if (!from.is_number_unsigned()) throw JsonMismatch("\"draining\" holds something that is no generation");
  return from.get<std::uint64_t>();
}

json to_json(const VersionRoute& version) {
  json workers = json::array();
  for (const WorkerRoute& worker : version.workers) workers.push_back(to_json(worker));
  return {{"row", version.row},
          {"name", version.name},
          {"workers", std::move(workers)},
          {"draining", version.draining},
          {"drain_timeout", version.drain_timeout.count()},
          {"probe_path", version.probe_path},
          {"probe_timeout", version.probe_timeout.count()}};
}

VersionRoute version_from(const json& from) {
  return {.row = json_number<std::uint32_t>(from, "row", segment::kVersions - 1),
          .name = json_text(from, "name"),
          .workers = json_list(from, "workers", worker_from),
          .draining = json_list(from, "draining", generation_from),
          .drain_timeout = json_milliseconds(from, "drain_timeout"),
          .probe_path = json_text(from, "probe_path"),
          .probe_timeout = json_milliseconds(from, "probe_timeout")};
}

json to_json(const ServiceRoute& service) {
  json versions = json::array();
  for (const VersionRoute& version : service.versions) versions.push_back(to_json(version));
  return {{"name", service.name},
          {"hosts", service.hosts},
          {"paths", service.paths},
          {"param", service.param},
          {"header", service.header},
          {"cookie", service.cookie},
          {"override_from", json_texts(service.override_from)},
          {"identity", json_texts(service.identity)},
          {"affinity", service.affinity},
          {"expose", name_of(service.expose)},
          {"limits", limits_to_json(service.limits)},
          {"stable", service.stable},
          {"canary", service.canary ? json(*service.canary) : json(nullptr)},
          {"weight", service.weight},
          {"salt", service.salt},
          {"versions", std::move(versions)}};
}

std::string text_from(const json& from) {
  if (!from.is_string()) throw JsonMismatch("a list holds something that is no string");
  return from.get<std::string>();
}

Expose expose_of(const std::string& name) {
  if (const auto expose = expose_from(name)) return *expose;
  throw JsonMismatch("\"expose\" is \"" + name + "\", not none, version or decision");
}

double weight_of(const json& from) {
  const json& field = json_field(from, "weight");
  if (!field.is_number() || field.get<double>() < 0 || field.get<double>() > 100)
    throw JsonMismatch("\"weight\" is no number from 0 to 100");
  return field.get<double>();
}

/// Who routes by the table indexes without a check of its own, so the indices are checked here.
void read_shares(ServiceRoute& service, const json& from) {
  if (service.versions.empty()) throw JsonMismatch("\"versions\" is empty");
  const std::uint64_t last = service.versions.size() - 1;
  service.stable = json_number<std::uint32_t>(from, "stable", last);
  if (!json_field(from, "canary").is_null()) service.canary = json_number<std::uint32_t>(from, "canary", last);
  service.weight = weight_of(from);
}

ServiceRoute service_from(const json& from) {
  ServiceRoute service;
  service.name = json_text(from, "name");
  service.hosts = json_list(from, "hosts", text_from);
  service.paths = json_list(from, "paths", text_from);
  service.param = json_text(from, "param");
  service.header = json_text(from, "header");
  service.cookie = json_text(from, "cookie");
  service.override_from = json_list(from, "override_from", json_parsed<Cidr>);
  service.identity = json_list(from, "identity", json_parsed<IdentitySource>);
  service.affinity = json_flag(from, "affinity");
  service.expose = expose_of(json_text(from, "expose"));
  service.limits = limits_from_json(json_field(from, "limits"));
  service.salt = json_text(from, "salt");
  service.versions = json_list(from, "versions", version_from);
  read_shares(service, from);
  return service;
}

}  // namespace

std::string to_json_text(const RoutingTable& table) {
  json services = json::array();
  for (const ServiceRoute& service : table.services) services.push_back(to_json(service));
  return json_dump({{"number", table.number}, {"issue_seed", table.issue_seed}, {"services", std::move(services)}});
}

std::optional<RoutingTable> routing_table_from_json(std::string_view text, std::string& error) {
  try {
    const json from = json::parse(text);
    return RoutingTable{.number = json_number<std::uint64_t>(from, "number"),
                        .services = json_list(from, "services", service_from),
                        .issue_seed = json_number<std::uint64_t>(from, "issue_seed")};
  } catch (const std::exception& problem) {
    error = std::string("not a routing table: ") + problem.what();
    return std::nullopt;
  }
}

}  // namespace gray
