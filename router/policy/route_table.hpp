#pragma once
// Host, then longest path prefix, picks the service (contract 2.2). Built once for a table, and shared by all threads.
// A request costs one look-up of its host in a hash table, whatever the number of hosts, and a number of comparisons
// that grows with the logarithm of the number of paths of this host.
//
// Model: all pairs of a host and a path prefix in one list, sorted by host, then so that each prefix comes directly
// before those below it. The prefixes of a path are then its predecessor among those of the host, or the prefixes of
// that one (router/targeting/nesting.hpp). Host 0 is "any host".
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "router/targeting/nesting.hpp"
#include "router/targeting/text_table.hpp"

namespace gray::policy {

class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(const std::vector<ServiceRoute>& services);

  /// Index of the service for `host` (as received, a port is ignored, case too) and `path` (with or without query);
  /// nothing: no-route. A service with hosts beats one without; among those the longest path prefix wins; a prefix
  /// matches whole segments only ("/api" matches "/api" and "/api/x", not "/apix"). Of two equal pairs the first
  /// counts.
  std::optional<std::size_t> find(std::string_view host, std::string_view path) const {
    return search(host, path).service;
  }
  struct Search {
    std::optional<std::size_t> service;
    std::uint32_t steps = 0;  // comparisons with a prefix
  };
  Search search(std::string_view host, std::string_view path) const;
  /// The slots that the look-up of a host reads at most.
  std::size_t most_host_steps() const { return names_.most_steps(); }

 private:
  struct Prefix {
    std::uint32_t host = 0, service = 0;
    std::string path;  // without a trailing slash, and not empty
  };
  struct Host {
    std::uint32_t begin = 0, end = 0;         // of prefixes_
    std::optional<std::uint32_t> every_path;  // the service of all paths below no prefix
  };
  void add(std::uint32_t host, std::string_view path, std::size_t service);
  void settle();
  void search_host(const Host& host, std::string_view path, Search& found) const;

  targeting::TextTable<targeting::Case::ignored, std::uint32_t> names_;  // to the index in hosts_
  std::vector<Host> hosts_ = std::vector<Host>(1);
  std::vector<Prefix> prefixes_;
  targeting::Nesting nesting_;
};

}  // namespace gray::policy
