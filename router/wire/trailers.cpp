#include "router/wire/trailers.hpp"

#include <algorithm>
#include <array>

#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"
#include "router/wire/head_writer.hpp"

namespace gray::http {

namespace {

// Families by prefix: they have many members, and get new ones.
constexpr std::array<std::string_view, 7> kRefusedFamilies{"content-", "proxy-",  "access-control-", "cross-origin-",
                                                           "sec-",     "x-gray-", "x-forwarded-"};
constexpr std::array<std::string_view, 18> kRefused{"set-cookie", "set-cookie2",      "cache-control",
                                                    "expires",    "pragma",           "age",
                                                    "vary",       "location",         "refresh",
                                                    "range",      "www-authenticate", "authentication-info",
                                                    "alt-svc",    "clear-site-data",  "strict-transport-security",
                                                    "link",       "early-data",       "x-real-ip"};

bool is_of_family(std::string_view name, std::string_view family) {
  return equals_ignoring_case(name.substr(0, family.size()), family);
}

}  // namespace

bool is_harmless_trailer(std::string_view name) {
  if (name_of(name) != Name::other || shadows_known_name(name)) return false;
  const auto is_name = [name](std::string_view refused) { return equals_ignoring_case(name, refused); };
  const auto is_family = [name](std::string_view family) { return is_of_family(name, family); };
  return std::none_of(kRefused.begin(), kRefused.end(), is_name) &&
         std::none_of(kRefusedFamilies.begin(), kRefusedFamilies.end(), is_family);
}

std::size_t write_trailers(std::string_view section, char* out) {
  HeadWriter writer(out);
  while (true) {
    const std::size_t end = section.find(kCrlf);
    if (end == std::string_view::npos || end == 0) return writer.size();
    const std::string_view line = section.substr(0, end);
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (is_harmless_trailer(name)) writer.field(name, trim_blanks(line.substr(colon + 1)));
    section.remove_prefix(end + kCrlf.size());
  }
}

}  // namespace gray::http
