#pragma once
// A request head like the parser's, made by hand: policy reads the target and the fields only.
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include "config/base/address.hpp"
#include "router/http/message.hpp"

namespace gray::policy {

inline const Address kClient = *Address::parse("192.0.2.7:4000");
inline const Address kUnix = *Address::parse("unix:/run/front.sock");

inline constexpr auto kAllUp = [](std::uint32_t) { return true; };

using NamedValue = std::pair<std::string_view, std::string_view>;

/// On the heap: a head has room for the maximum of fields. The views must outlive it, so use literals.
inline std::unique_ptr<http::Request> request(std::string_view path_query,
                                              std::initializer_list<NamedValue> fields = {}) {
  auto head = std::make_unique<http::Request>();
  head->path = path_query;
  for (const auto& [name, value] : fields) {
    http::Field& field = head->fields.items[head->fields.count++];
    field.name = name;
    field.value = value;
    if (http::equals_ignoring_case(name, "cookie")) field.id = http::Name::cookie;
    if (http::equals_ignoring_case(name, "x-forwarded-for")) field.id = http::Name::x_forwarded_for;
  }
  return head;
}

}  // namespace gray::policy
