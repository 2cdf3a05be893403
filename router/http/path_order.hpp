#pragma once
// Path prefixes of whole segments, and the order in which each one comes directly before the paths below it.
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace gray::http {

/// "/api" is above "/api" and "/api/x", not "/apix". `prefix` has no trailing slash; the empty one is above all.
inline bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// The order of a + "/" and b + "/".
inline bool path_before(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  if (const int order = a.substr(0, common).compare(b.substr(0, common)); order != 0) return order < 0;
  if (a.size() == b.size()) return false;
  const auto next = [common](std::string_view text) { return text.size() > common ? text[common] : '/'; };
  const auto left = static_cast<unsigned char>(next(a)), right = static_cast<unsigned char>(next(b));
  return left != right ? left < right : a.size() < b.size();
}

}  // namespace gray::http
