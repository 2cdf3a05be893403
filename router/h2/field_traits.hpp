#pragma once
// What a header field of HTTP/2 is, seen alone (RFC 9113 8.2 and 8.3). A field of the dynamic table is judged once,
// when it is inserted, and not again for each request that refers to it.
#include <cstdint>
#include <string_view>

#include "router/http/message.hpp"

namespace gray::h2 {

enum class NameKind : std::uint8_t {
  regular,
  method,
  scheme,
  authority,
  path,
  status,
  unknown_pseudo,       // any other name with a colon in front
  empty,                // no name at all
  uppercase,            // has an uppercase letter
  invalid,              // not a token
  connection_specific,  // Connection, Proxy-Connection, Keep-Alive, Transfer-Encoding, Upgrade
};

struct FieldTraits {
  NameKind kind = NameKind::regular;
  http::Name id = http::Name::other;  // of a regular or connection-specific name
  bool valid_value = true;            // no control byte but HTAB, and no blank at either end
};

FieldTraits traits_of_name(std::string_view name);
bool is_valid_value(std::string_view value);

struct HeaderField {
  std::string_view name, value;
  FieldTraits traits;
};

}  // namespace gray::h2
