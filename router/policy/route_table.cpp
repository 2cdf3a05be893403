#include "router/policy/route_table.hpp"

#include <algorithm>

#include "router/http/path_order.hpp"

namespace gray::policy {
namespace {

const std::vector<std::string> kAny{std::string()};

std::string_view without_trailing_slash(std::string_view path) {
  return path.substr(0, path.find_last_not_of('/') + 1);  // npos + 1 is 0
}

/// "Example.com.:8000" is "Example.com", "[::1]:8000" is "[::1]". The final dot of a fully qualified name is ignored.
std::string_view bare_host(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  host = host.substr(0, colon);
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return host;
}

}  // namespace

RouteTable::RouteTable(const std::vector<ServiceRoute>& services) {
  std::uint32_t next = 1;
  for (std::size_t service = 0; service < services.size(); ++service) {
    const ServiceRoute& route = services[service];
    for (const std::string& host : route.hosts.empty() ? kAny : route.hosts) {
      const std::uint32_t number = host.empty() ? 0 : names_.add(0, bare_host(host), next);
      hosts_.resize(next);
      for (const std::string& path : route.paths.empty() ? kAny : route.paths)
        add(number, without_trailing_slash(path), service);
    }
  }
  settle();
}

void RouteTable::add(std::uint32_t host, std::string_view path, std::size_t service) {
  const auto index = static_cast<std::uint32_t>(service);
  if (!path.empty())
    prefixes_.push_back({.host = host, .service = index, .path = std::string(path)});
  else if (!hosts_[host].every_path)
    hosts_[host].every_path = index;
}

void RouteTable::settle() {
  std::ranges::stable_sort(prefixes_, [](const Prefix& a, const Prefix& b) {
    return a.host != b.host ? a.host < b.host : http::path_before(a.path, b.path);
  });
  const auto same = [](const Prefix& a, const Prefix& b) { return a.host == b.host && a.path == b.path; };
  prefixes_.erase(std::unique(prefixes_.begin(), prefixes_.end(), same), prefixes_.end());
  prefixes_.shrink_to_fit();
  nesting_.build(prefixes_.size(), [this](std::uint32_t i, std::uint32_t j) {
    return prefixes_[i].host == prefixes_[j].host && http::is_below(prefixes_[i].path, prefixes_[j].path);
  });
  for (std::uint32_t i = 0; i < prefixes_.size(); ++i) {
    Host& host = hosts_[prefixes_[i].host];
    if (host.end == 0) host.begin = i;
    host.end = i + 1;
  }
}

RouteTable::Search RouteTable::search(std::string_view host, std::string_view path) const {
  path = path.substr(0, path.find('?'));
  Search found;
  if (const auto number = names_.find(0, bare_host(host))) search_host(hosts_[*number], path, found);
  if (!found.service) search_host(hosts_[0], path, found);
  return found;
}

void RouteTable::search_host(const Host& host, std::string_view path, Search& found) const {
  found.service = host.every_path;
  const auto first = prefixes_.begin() + host.begin, last = prefixes_.begin() + host.end;
  const auto after = std::upper_bound(first, last, path, [&](std::string_view wanted, const Prefix& prefix) {
    return ++found.steps, http::path_before(wanted, prefix.path);
  });
  if (after == first) return;
  const auto before = static_cast<std::uint32_t>(after - prefixes_.begin()) - 1;
  const std::uint32_t longest = nesting_.outwards(
      before, [&](std::uint32_t i) { return ++found.steps, http::is_below(path, prefixes_[i].path); });
  if (longest != targeting::Nesting::kNone) found.service = prefixes_[longest].service;
}

}  // namespace gray::policy
