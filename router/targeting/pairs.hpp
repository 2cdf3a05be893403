#pragma once
// The cookies and query parameters of a request, one after the other. Bounded: a request may have thousands of them.
// What is between two separators is searched for them a block at a time, not byte by byte.
#include <cstddef>
#include <string_view>

#include "router/http/message.hpp"
#include "router/http/split.hpp"

namespace gray::targeting {

/// So many cookies of a request count, and so many parameters; browsers keep fewer than 200 cookies for a site.
inline constexpr std::size_t kMaxPairs = 256;

/// The value of a cookie, without the blanks and quotes around it (RFC 6265 4.2.1).
inline std::string_view cookie_text(std::string_view raw) {
  const std::string_view text = http::trimmed(raw);
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

/// Calls use(name, value) for each cookie in all Cookie fields, while it returns true; the value is to be read with
/// cookie_text().
template <class Use>
void for_each_cookie(const http::Fields& fields, Use use) {
  std::size_t left = kMaxPairs;
  for (const http::Field& field : fields) {
    if (field.id != http::Name::cookie) continue;
    for (std::string_view rest = field.value; !rest.empty() && left > 0; --left) {
      std::string_view pair = http::next_part(rest, ';');
      while (!pair.empty() && (pair.front() == ' ' || pair.front() == '\t')) pair.remove_prefix(1);
      const std::size_t end = pair.find('=');
      if (end != std::string_view::npos && !use(pair.substr(0, end), pair.substr(end + 1))) return;
    }
  }
}

/// Calls use(name, value) for each parameter of the query, while it returns true; both as received: percent-encoded.
template <class Use>
void for_each_parameter(std::string_view path_query, Use use) {
  const std::size_t mark = path_query.find('?');
  if (mark == std::string_view::npos) return;
  std::string_view rest = path_query.substr(mark + 1);
  for (std::size_t left = kMaxPairs; !rest.empty() && left > 0; --left) {
    std::string_view value = http::next_part(rest, '&');
    const std::string_view name = http::next_part(value, '=');
    if (!use(name, value)) return;
  }
}

}  // namespace gray::targeting
