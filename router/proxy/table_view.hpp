#pragma once
// One routing table as one thread uses it: the shared immutable snapshot, with what is derived from it. Exchanges hold
// a view while they last, counted without atomics, because a view never leaves its thread.
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "router/http/message.hpp"
#include "router/policy/decision.hpp"
#include "router/policy/route_table.hpp"

namespace gray::proxy {

/// What a line of the access log says of a service alike for all its requests: see stats/access_line.hpp.
struct LogMembers {
  std::string rule, no_version;
  std::vector<std::string> destinations;  // by version
};

struct TableView {
  explicit TableView(std::shared_ptr<const RoutingTable> snapshot);

  std::shared_ptr<const RoutingTable> table;
  policy::RouteTable routes;
  std::vector<policy::ServicePolicy> services;
  std::vector<LogMembers> log;  // by service
  std::string unrouted_rule;    // of a request that no service takes
  // Before a request is routed nobody knows whose limits count: the widest of all services bound its head.
  http::HeadLimits head;
  Duration head_timeout{0};
  Duration idle_timeout{0};
  std::uint32_t users = 0;  // exchanges

  const LogMembers& log_members(const policy::ServicePolicy& service) const {
    return log[static_cast<std::size_t>(&service - services.data())];
  }
};

/// The current view, and older ones that exchanges still hold.
class TableViews {
 public:
  TableViews() : current_(&views_.emplace_back(std::make_shared<const RoutingTable>())) {}
  TableView& current() { return *current_; }
  void replace(std::shared_ptr<const RoutingTable> table);
  TableView& hold() {
    ++current_->users;
    return *current_;
  }
  void drop(TableView& view);
  std::size_t size() const { return views_.size(); }

 private:
  std::list<TableView> views_;
  TableView* current_;
};

}  // namespace gray::proxy
