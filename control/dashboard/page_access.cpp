#include "control/dashboard/page_access.hpp"

#include <algorithm>

#include "config/base/address.hpp"

namespace gray::control {
namespace {

constexpr Verb kChanges[] = {Verb::promote,        Verb::shift,           Verb::undo,          Verb::rollout_pause,
                             Verb::rollout_resume, Verb::rollout_promote, Verb::rollout_abort, Verb::rollout_retry};

bool is_same_text(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(one, other, {}, lower, lower);
}

/// Empty, or ":" and digits.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  constexpr std::size_t kMostDigits = 5;
  const auto digits = text.substr(1);
  return text.front() == ':' && !digits.empty() && digits.size() <= kMostDigits &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_own_host(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return false;
    const auto ip = parse_ip(host.substr(1, end - 1));
    return ip && ip->kind == Address::Kind::ipv6 && is_port(host.substr(end + 1));
  }
  const auto name = host.substr(0, host.find(':'));
  if (!is_port(host.substr(name.size()))) return false;
  const auto ip = parse_ip(name);
  return (ip && ip->kind == Address::Kind::ipv4) || is_same_text(name, "localhost");
}

bool is_same_origin(std::string_view origin, std::string_view fetch_site, std::string_view host) {
  if (!fetch_site.empty() && fetch_site != "same-origin" && fetch_site != "none") return false;
  if (origin.empty()) return true;
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme)) return is_same_text(origin.substr(scheme.size()), host);
  return false;
}

bool is_for_page(Verb verb) { return std::ranges::find(kChanges, verb) != std::end(kChanges); }

}  // namespace gray::control
