#include "router/http/end_to_end.hpp"

#include <algorithm>

#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"

namespace gray::http {

Nominated::Nominated(const Fields& fields) {
  for (const Field& field : fields) {
    if (field.id == Name::connection) collect(field.value);
  }
}

void Nominated::collect(std::string_view list) {
  std::string_view option;
  for (bool more = true; count_ < names_.size() && next_member(list, more, option);) {
    const bool known = name_of(option) != Name::other || equals_ignoring_case(option, "close");
    if (!known) names_[count_++] = option;
  }
}

bool Nominated::holds(std::string_view name) const {
  return std::any_of(names_.begin(), names_.begin() + count_,
                     [name](std::string_view nominated) { return equals_ignoring_case(nominated, name); });
}

bool is_hop_by_hop(Name id) {
  switch (id) {
    case Name::connection:
    case Name::keep_alive:
    case Name::proxy_connection:
    case Name::te:
    case Name::trailer:
    case Name::transfer_encoding:
    case Name::content_length:
    case Name::upgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace gray::http
