#pragma once
// What look-ups need of the newest routing table: routes, rules, networks, allowlists. Compiled and mapped once for all
// threads, and again only when they change. Main thread of the router; what it gives away lives as long as a thread
// uses it.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "config/shared/routing_table.hpp"
#include "router/proxy/table_view.hpp"

namespace gray::proxy {

class TargetCache {
 public:
  /// `lists`: the memfds of the table's allowlists, in the order of its services. False, with the reason, and without
  /// effect, if they are not.
  bool follow(std::shared_ptr<const RoutingTable> table, std::vector<UniqueFd> lists, std::string& error);
  /// Of the last table.
  const CompiledTable& compiled() const { return compiled_; }

 private:
  using Places = std::map<std::string_view, std::size_t>;  // by name of the service, in table_
  targeting::Targets targets_of(const ServiceRoute& service, const Places& places, const UniqueFd* list,
                                std::string& error) const;
  bool same_routes(const RoutingTable& table) const;

  std::shared_ptr<const RoutingTable> table_ = std::make_shared<const RoutingTable>();  // what compiled_ is made of
  CompiledTable compiled_;
};

/// Maps an allowlist, read-only and shared with all routers; null, with the reason, if it is not the one of `expected`.
std::shared_ptr<const targeting::AllowlistTable> map_allowlist(int fd, const AllowlistRef& expected,
                                                               std::string& error);

}  // namespace gray::proxy
