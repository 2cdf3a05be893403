// A rule is one (host, path) pair of a service. The rules are sorted once, so the first match is the best one: named
// hosts before any host, then longer paths before shorter ones, then the order of the table.
#include "router/policy/route_table.hpp"

#include <algorithm>

#include "router/http/message.hpp"

namespace gray::policy {
namespace {

const std::vector<std::string> kAny{std::string()};

std::string without_trailing_slash(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

/// "Example.com.:8000" is "Example.com", "[::1]:8000" is "[::1]". The final dot of a fully qualified name is ignored.
std::string_view bare_host(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  host = host.substr(0, colon);
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return host;
}

bool below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

RouteTable::RouteTable(const std::vector<ServiceRoute>& services) {
  for (std::size_t service = 0; service < services.size(); ++service) {
    const ServiceRoute& route = services[service];
    for (const std::string& host : route.hosts.empty() ? kAny : route.hosts) {
      for (const std::string& path : route.paths.empty() ? kAny : route.paths) {
        rules_.push_back({std::string(bare_host(host)), without_trailing_slash(path), service});
        by_host_ = by_host_ || !host.empty();
      }
    }
  }
  std::stable_sort(rules_.begin(), rules_.end(), [](const Rule& a, const Rule& b) {
    if (a.host.empty() != b.host.empty()) return b.host.empty();
    return a.path.size() > b.path.size();
  });
}

std::optional<std::size_t> RouteTable::find(std::string_view host, std::string_view path) const {
  const std::string_view wanted = by_host_ ? bare_host(host) : std::string_view();
  path = path.substr(0, path.find('?'));
  for (const Rule& rule : rules_) {
    if (!rule.host.empty() && !http::equals_ignoring_case(rule.host, wanted)) continue;
    if (rule.path.empty() || below(path, rule.path)) return rule.service;
  }
  return std::nullopt;
}

}  // namespace gray::policy
