#pragma once
// Host, then longest path prefix, picks the service (contract 2.2). Built once for a table, read by every request, at a
// cost that grows with the logarithm of the number of hosts and paths.
//
// Model: for each host, and for "any host", the prefixes sorted as texts that end with '/'. The prefixes of a path are
// then its predecessor in this order, or the prefixes of that one; each entry knows its longest prefix.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/routing_table.hpp"

namespace gray::policy {

/// The path prefixes of one host.
class PathPrefixes {
 public:
  /// `path`: without a trailing slash; empty: every path. Of two equal ones the first stays.
  void add(std::string path, std::size_t service);
  /// Once, after the last add().
  void settle();
  /// The service of the longest prefix of `path`, which has no query.
  std::optional<std::size_t> find(std::string_view path) const;

 private:
  struct Entry {
    std::string path;
    std::size_t service;
    std::uint32_t parent = kNone;  // the index of its longest prefix
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::vector<Entry> entries_;
  std::optional<std::size_t> every_path_;
};

class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(const std::vector<ServiceRoute>& services);

  /// Index of the service for `host` (as received, a port is ignored, case too) and `path` (with or without query);
  /// nothing: no-route. A service with hosts beats one without; among those the longest path prefix wins; a prefix
  /// matches whole segments only ("/api" matches "/api" and "/api/x", not "/apix").
  std::optional<std::size_t> find(std::string_view host, std::string_view path) const;

 private:
  struct Host {
    std::string name;  // lower case
    PathPrefixes paths;
  };
  std::vector<Host> hosts_;  // sorted by name
  PathPrefixes any_host_;
};

}  // namespace gray::policy
