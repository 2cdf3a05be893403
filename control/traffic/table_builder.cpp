#include "control/traffic/table_builder.hpp"

#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

std::vector<WorkerRoute> routable_workers(const std::vector<VersionView>& views, const std::string& service,
                                          const std::string& version) {
  std::vector<WorkerRoute> routes;
  for (const auto& view : views) {
    if (view.service != service || view.version != version) continue;
    for (const auto& worker : view.workers) {
      if (worker.routable && worker.address) {
        routes.push_back({worker.cell, worker.generation, worker.id, *worker.address, worker.owner});
      }
    }
  }
  return routes;
}

std::vector<std::uint64_t> draining_workers(const std::vector<VersionView>& views, const std::string& service,
                                            const std::string& version) {
  std::vector<std::uint64_t> generations;
  for (const auto& view : views) {
    if (view.service != service || view.version != version) continue;
    for (const auto& worker : view.workers) {
      if (worker.state == WorkerState::draining) generations.push_back(worker.generation);
    }
  }
  return generations;
}

ServiceRoute front_of(const ServiceSettings& service) {
  ServiceRoute route;
  static_cast<ServiceRouting&>(route) = service;
  route.name = service.name;
  if (!service.allowlist_source.table) route.allowlist = {};
  return route;
}

}  // namespace

RoutingTable build_table(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                         const Rows& rows) {
  RoutingTable table;
  table.leak_detection = settings.leak_detection;
  for (const auto& service : settings.services) {
    const auto shares = shares_of(service, state);
    auto route = front_of(service);
    for (const auto& version : service.versions) {
      const auto row = rows.find(service.name, version.name);
      if (!row) continue;
      const auto index = static_cast<std::uint32_t>(route.versions.size());
      if (version.name == shares.stable) route.stable = index;
      if (version.name == shares.canary) route.canary = index;
      route.versions.push_back({.row = *row,
                                .name = version.name,
                                .workers = routable_workers(views, service.name, version.name),
                                .draining = draining_workers(views, service.name, version.name),
                                .drain_timeout = version.drain_timeout,
                                .targeted = takes_targeted_users(state, service.name, version.name),
                                .probe = version.health,
                                .probe_timeout = version.health.timeout,
                                .withdrawn = is_withdrawn(state, service.name, version.name)});
    }
    if (route.canary) {
      route.weight = shares.weight;
      route.salt = shares.salt;
    }
    table.services.push_back(std::move(route));
  }
  return table;
}

}  // namespace gray::control
