#include "router/policy/route_table.hpp"

#include <algorithm>
#include <map>

#include "router/http/message.hpp"
#include "router/http/path_order.hpp"

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

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// The order of a name in lower case and a host as received.
bool name_before(std::string_view name, std::string_view host) {
  const std::size_t common = std::min(name.size(), host.size());
  for (std::size_t i = 0; i < common; ++i) {
    const char theirs = lower(host[i]);
    if (name[i] != theirs) return static_cast<unsigned char>(name[i]) < static_cast<unsigned char>(theirs);
  }
  return name.size() < host.size();
}

}  // namespace

void PathPrefixes::add(std::string path, std::size_t service) {
  if (!path.empty()) {
    entries_.push_back({.path = std::move(path), .service = service});
  } else if (!every_path_) {
    every_path_ = service;
  }
}

void PathPrefixes::settle() {
  std::ranges::stable_sort(entries_, http::path_before, &Entry::path);
  const auto same = [](const Entry& a, const Entry& b) { return a.path == b.path; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
  for (std::uint32_t i = 1; i < entries_.size(); ++i) {
    std::uint32_t parent = i - 1;
    while (parent != kNone && !http::is_below(entries_[i].path, entries_[parent].path))
      parent = entries_[parent].parent;
    entries_[i].parent = parent;
  }
}

std::optional<std::size_t> PathPrefixes::find(std::string_view path) const {
  const auto behind = std::ranges::upper_bound(entries_, path, http::path_before, &Entry::path);
  auto index = static_cast<std::uint32_t>(behind - entries_.begin()) - 1;  // kNone: there is none before it
  while (index != kNone && !http::is_below(path, entries_[index].path)) index = entries_[index].parent;
  return index == kNone ? every_path_ : std::optional(entries_[index].service);
}

RouteTable::RouteTable(const std::vector<ServiceRoute>& services) {
  std::map<std::string, PathPrefixes, std::less<>> hosts;
  for (std::size_t service = 0; service < services.size(); ++service) {
    const ServiceRoute& route = services[service];
    for (const std::string& host : route.hosts.empty() ? kAny : route.hosts) {
      PathPrefixes& paths = host.empty() ? any_host_ : hosts[std::string(bare_host(host))];
      for (const std::string& path : route.paths.empty() ? kAny : route.paths)
        paths.add(without_trailing_slash(path), service);
    }
  }
  any_host_.settle();
  for (auto& [name, paths] : hosts) {
    paths.settle();
    hosts_.push_back({name, std::move(paths)});
  }
}

std::optional<std::size_t> RouteTable::find(std::string_view host, std::string_view path) const {
  path = path.substr(0, path.find('?'));
  if (!hosts_.empty()) {
    const std::string_view wanted = bare_host(host);
    const auto found = std::ranges::lower_bound(hosts_, wanted, name_before, &Host::name);
    if (found != hosts_.end() && http::equals_ignoring_case(found->name, wanted)) {
      if (const auto service = found->paths.find(path)) return service;
    }
  }
  return any_host_.find(path);
}

}  // namespace gray::policy
