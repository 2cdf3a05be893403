#pragma once
// Host, then longest path prefix, picks the service (contract 2.2). Built once for a table, read by every request.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/routing_table.hpp"

namespace gray::policy {

class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(const std::vector<ServiceRoute>& services);

  /// Index of the service for `host` (as received, a port is ignored, case too) and `path` (with or without query);
  /// nothing: no-route. A service with hosts beats one without; among those the longest path prefix wins; a prefix
  /// matches whole segments only ("/api" matches "/api" and "/api/x", not "/apix").
  std::optional<std::size_t> find(std::string_view host, std::string_view path) const;

 private:
  struct Rule {
    std::string host;  // lower case; empty: any
    std::string path;  // without a trailing slash; empty: any
    std::size_t service;
  };
  std::vector<Rule> rules_;  // in the order in which they are tried
  bool by_host_ = false;     // some rule has a host
};

}  // namespace gray::policy
