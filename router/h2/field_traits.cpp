#include "router/h2/field_traits.hpp"

#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"

namespace gray::h2 {

namespace {

using http::Name;

NameKind pseudo_kind(std::string_view name) {
  if (name == ":method") return NameKind::method;
  if (name == ":path") return NameKind::path;
  if (name == ":scheme") return NameKind::scheme;
  if (name == ":authority") return NameKind::authority;
  if (name == ":status") return NameKind::status;
  return NameKind::unknown_pseudo;
}

bool is_connection_specific(Name id) {
  return id == Name::connection || id == Name::proxy_connection || id == Name::keep_alive ||
         id == Name::transfer_encoding || id == Name::upgrade;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

FieldTraits traits_of_name(std::string_view name) {
  if (name.empty()) return {NameKind::empty};
  if (name.front() == ':') return {pseudo_kind(name)};
  for (const char c : name) {
    if (is_upper(c)) return {NameKind::uppercase};
    if (!http::is_token(c)) return {NameKind::invalid};
  }
  const Name id = http::name_of(name);
  return {is_connection_specific(id) ? NameKind::connection_specific : NameKind::regular, id};
}

bool is_valid_value(std::string_view value) {
  if (value.empty()) return true;
  if (http::is_blank(value.front()) || http::is_blank(value.back())) return false;
  const char* end = value.data() + value.size();
  return http::skip_text(value.data(), end) == end;
}

}  // namespace gray::h2
