// Look-ups in fields are linear: there are few fields, and few rules need one.
#include "router/http/message.hpp"

#include <algorithm>

#include "router/http/characters.hpp"

namespace gray::http {

bool is_idempotent(Method method) {
  return method == Method::get || method == Method::head || method == Method::put || method == Method::delete_ ||
         method == Method::options || method == Method::trace;
}

const Field* Fields::find(std::string_view name) const {
  const auto is_it = [name](const Field& field) { return equals_ignoring_case(field.name, name); };
  const Field* found = std::find_if(begin(), end(), is_it);
  return found == end() ? nullptr : found;
}

const Field* Fields::find(Name id) const {
  const Field* found = std::find_if(begin(), end(), [id](const Field& f) { return f.id == id; });
  return found == end() ? nullptr : found;
}

bool Fields::connection_lists(std::string_view token) const {
  for (const Field& field : *this) {
    if (field.id != Name::connection) continue;
    std::string_view list = field.value, option;
    for (bool more = true; next_member(list, more, option);) {
      if (equals_ignoring_case(option, token)) return true;
    }
  }
  return false;
}

}  // namespace gray::http
