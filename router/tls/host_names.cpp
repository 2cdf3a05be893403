#include "router/tls/host_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gray::tls {

std::size_t HostNames::find(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kLongest) return 0;
  std::array<char, kLongest> lower;
  std::ranges::transform(host, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view name(lower.data(), host.size());
  const std::size_t dot = name.find('.');
  const bool has_parent = dot != name.npos && dot > 0;
  for (const Names* names : {&given_, &found_}) {
    if (const auto exact = names->find(name); exact != names->end()) return exact->second;
    if (!has_parent) continue;
    const char before = std::exchange(lower[dot - 1], '*');  // "*.example.com" in place
    const auto wild = names->find(name.substr(dot - 1));
    lower[dot - 1] = before;
    if (wild != names->end()) return wild->second;
  }
  return 0;
}

}  // namespace gray::tls
