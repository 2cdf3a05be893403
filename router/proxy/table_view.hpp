#pragma once
// One routing table as one thread uses it: the shared immutable snapshot, and data derived from it. Each exchange holds
// a view; the count needs no atomics, because a view never leaves its thread.
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "router/http/message.hpp"
#include "router/policy/decision.hpp"
#include "router/policy/route_table.hpp"

namespace gray::proxy {

/// Members of access-log lines that are equal for all requests of a service: see stats/access_line.hpp.
struct LogMembers {
  std::string rule, no_version;
  std::vector<std::string> destinations;  // by version
  std::vector<std::string> sources;       // by identity source
};

/// What look-ups need of a table, made once for all threads (router/process/target_cache.hpp).
struct CompiledTable {
  std::shared_ptr<const policy::RouteTable> routes = {};  // null: the view makes it
  std::vector<targeting::Targets> targets = {};           // by service; empty: there are none
};

struct TableView {
  explicit TableView(std::shared_ptr<const RoutingTable> snapshot, CompiledTable made = {});

  std::shared_ptr<const RoutingTable> table;
  CompiledTable compiled;  // what `services` use
  std::vector<policy::ServicePolicy> services;
  std::vector<LogMembers> log;  // by service
  std::string unrouted_rule;    // of a request that no service takes
  // Before a request is routed its service is unknown: the widest limits of all services apply to its head.
  http::HeadLimits head;
  Duration head_timeout{0};
  Duration idle_timeout{0};
  std::uint32_t users = 0;  // exchanges that hold it

  /// The service of a request; nothing: no-route.
  std::optional<std::size_t> service_of(std::string_view host, std::string_view path) const {
    return compiled.routes->find(host, path);
  }
  const LogMembers& log_members(const policy::ServicePolicy& service) const {
    return log[static_cast<std::size_t>(&service - services.data())];
  }
};

/// The current view, and older ones that exchanges still hold.
class TableViews {
 public:
  TableViews() : current_(&views_.emplace_back(std::make_shared<const RoutingTable>())) {}
  TableView& current() { return *current_; }
  void replace(std::shared_ptr<const RoutingTable> table, CompiledTable compiled = {});
  TableView& hold() {
    ++current_->users;
    return *current_;
  }
  void drop(TableView& view);
  std::size_t size() const { return views_.size(); }
  /// Bytes of all views, without the tables, which the threads share.
  std::size_t memory() const;

 private:
  std::list<TableView> views_;
  TableView* current_;
};

}  // namespace gray::proxy
