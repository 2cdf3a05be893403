#include "router/proxy/table_view.hpp"

#include <algorithm>

#include "router/engine/heap_bytes.hpp"
#include "router/stats/access_line.hpp"

namespace gray::proxy {
namespace {

LogMembers members_of(const policy::ServicePolicy& service, std::uint64_t table) {
  const ServiceRoute& route = *service.route;
  const std::string_view canary = route.canary ? std::string_view(route.versions[*route.canary].name) : "";
  LogMembers members{.rule = stats::rule_members({.salt = route.salt,
                                                  .threshold = service.threshold,
                                                  .table = table,
                                                  .stable = route.versions[route.stable].name,
                                                  .canary = canary}),
                     .no_version = stats::destination_members(route.name, {})};
  for (const VersionRoute& version : route.versions)
    members.destinations.push_back(stats::destination_members(route.name, version.name));
  for (const IdentitySource& source : route.identity) members.sources.push_back(stats::identity_member(source.text()));
  return members;
}

}  // namespace

TableView::TableView(std::shared_ptr<const RoutingTable> snapshot, CompiledTable made)
    : table(std::move(snapshot)),
      compiled(std::move(made)),
      unrouted_rule(stats::rule_members({.table = table->number})) {
  const Limits defaults;
  head = {defaults.head, defaults.fields};
  head_timeout = defaults.head_timeout;
  idle_timeout = defaults.idle_timeout;
  if (!table->services.empty()) {
    head = {0, 0};
    head_timeout = idle_timeout = Duration{0};
  }
  if (!compiled.routes) compiled.routes = std::make_shared<const policy::RouteTable>(table->services);
  compiled.targets.resize(table->services.size());
  for (const ServiceRoute& service : table->services) {
    services.push_back(policy::policy_of(service, table->issue_seed, compiled.targets[services.size()]));
    log.push_back(members_of(services.back(), table->number));
    head.bytes = std::max<std::size_t>(head.bytes, service.limits.head);
    head.fields = std::max<std::size_t>(head.fields, service.limits.fields);
    head_timeout = std::max(head_timeout, service.limits.head_timeout);
    idle_timeout = std::max(idle_timeout, service.limits.idle_timeout);
  }
}

void TableViews::replace(std::shared_ptr<const RoutingTable> table, CompiledTable compiled) {
  TableView& old = *current_;
  current_ = &views_.emplace_back(std::move(table), std::move(compiled));
  if (old.users == 0) views_.remove_if([&old](const TableView& view) { return &view == &old; });
}

void TableViews::drop(TableView& view) {
  if (--view.users == 0 && &view != current_) {
    views_.remove_if([&view](const TableView& other) { return &other == &view; });
  }
}

std::size_t TableViews::memory() const {
  std::size_t bytes = 0;
  const auto text = [&bytes](const std::string& one) { bytes += sizeof one + engine::heap_bytes(one); };
  for (const TableView& view : views_) {
    bytes += engine::heap_bytes(sizeof view) + view.services.capacity() * sizeof(policy::ServicePolicy);
    for (const LogMembers& members : view.log) {
      bytes += sizeof members + engine::heap_bytes(members.rule) + engine::heap_bytes(members.no_version);
      for (const std::string& destination : members.destinations) text(destination);
      for (const std::string& source : members.sources) text(source);
    }
  }
  return bytes;
}

}  // namespace gray::proxy
