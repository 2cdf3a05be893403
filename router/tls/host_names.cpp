#include "router/tls/host_names.hpp"

namespace gray::tls {

std::size_t HostNames::find(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kLongest) return 0;
  std::string lower(host);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto given = find(given_, lower);
  return given ? *given : find(found_, lower).value_or(0);
}

std::optional<std::size_t> HostNames::find(const Names& names, const std::string& host) {
  if (const auto exact = names.find(host); exact != names.end()) return exact->second;
  const std::size_t dot = host.find('.');
  if (dot == std::string::npos || dot == 0) return std::nullopt;
  const auto wild = names.find("*" + host.substr(dot));
  return wild == names.end() ? std::nullopt : std::optional(wild->second);
}

}  // namespace gray::tls
