#pragma once
// The rules and allowlists of the newest routing table, compiled and mapped once for all threads, and again only when
// they change. Main thread of the router; what it gives away lives as long as a thread uses it.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "config/shared/routing_table.hpp"
#include "router/proxy/table_view.hpp"

namespace gray::proxy {

class TargetCache {
 public:
  /// `lists`: the memfds of the table's allowlists, in the order of its services. False, with the reason, and without
  /// effect, if they are not.
  bool follow(const RoutingTable& table, std::vector<UniqueFd> lists, std::string& error);
  /// By service of the last table.
  const ServiceTargets& targets() const { return targets_; }

 private:
  struct Known {
    std::vector<Rule> rules;
    AllowlistRef list;
    targeting::Targets targets;
  };
  targeting::Targets targets_of(const ServiceRoute& service, const UniqueFd* list, std::string& error) const;

  std::map<std::string, Known> known_;  // by service
  ServiceTargets targets_;
};

/// Maps an allowlist, read-only and shared with all routers; null, with the reason, if it is not the one of `expected`.
std::shared_ptr<const targeting::AllowlistTable> map_allowlist(int fd, const AllowlistRef& expected,
                                                               std::string& error);

}  // namespace gray::proxy
