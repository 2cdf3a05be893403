#include "router/wire/target.hpp"

#include <algorithm>
#include <cstdint>

#include "router/http/characters.hpp"

namespace gray::http {

namespace {

// RFC 3986 3.2.3: a port may be empty.
bool is_valid_port(std::string_view port) {
  if (port.size() > 5) return false;
  std::uint32_t number = 0;
  for (const char c : port) {
    if (!is_digit(c)) return false;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number <= 65535;
}

// The rest of an absolute-form target behind "http://" or "https://".
Target read_absolute(Method method, std::string_view rest) {
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  Target target{rest.substr(end), rest.substr(0, end)};
  if (!is_valid_authority(target.authority)) target.problem = "invalid authority in the target";
  if (target.path_query.empty()) target.path_query = method == Method::options ? "*" : "/";  // RFC 9112 3.2.4
  return target;
}

}  // namespace

Target read_target(Method method, std::string_view text) {
  if (text.front() == '/') return {text, {}};
  if (text == "*") return {text, {}, method == Method::options ? nullptr : "target * without OPTIONS"};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equals_ignoring_case(text.substr(0, scheme.size()), scheme)) {
      return read_absolute(method, text.substr(scheme.size()));
    }
  }
  return {text, {}, "target is neither a path nor an http URI"};
}

bool is_valid_authority(std::string_view text) {
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const auto is_address = [](char c) { return is_hex(c) || c == ':' || c == '.'; };
    while (++host_end < text.size() && is_address(text[host_end])) continue;
    if (host_end < 3 || host_end == text.size() || text[host_end] != ']') return false;  // "::" is the shortest
    ++host_end;
  } else {
    while (host_end < text.size() && is_host(text[host_end])) ++host_end;
    if (host_end == 0) return false;
  }
  if (host_end == text.size()) return true;
  return text[host_end] == ':' && is_valid_port(text.substr(host_end + 1));
}

}  // namespace gray::http
