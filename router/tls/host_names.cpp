#include "router/tls/host_names.hpp"

namespace gray::tls {

std::size_t HostNames::find(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kLongest) return 0;
  std::string lower(host);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (const auto exact = names_.find(lower); exact != names_.end()) return exact->second;
  const std::size_t dot = lower.find('.');
  if (dot == std::string::npos || dot == 0) return 0;
  const auto wild = names_.find("*" + lower.substr(dot));
  return wild == names_.end() ? 0 : wild->second;
}

}  // namespace gray::tls
