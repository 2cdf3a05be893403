#include "router/wire/end_to_end.hpp"

#include <algorithm>

#include "router/http/characters.hpp"
#include "router/http/field_names.hpp"

namespace gray::http {

namespace {

// The received line of a field, if it is byte for byte what we would write; else empty.
std::string_view received_line(const Field& field) {
  const char* colon = field.name.data() + field.name.size();
  const char* end = field.value.data() + field.value.size();
  const bool as_written = field.value.data() == colon + 2 && colon[1] == ' ' && *end == '\r';
  return {field.name.data(), as_written ? static_cast<std::size_t>(end + kCrlf.size() - field.name.data()) : 0};
}

}  // namespace

Nominated::Nominated(const Fields& fields) {
  for (const Field& field : fields) {
    if (field.id == Name::connection) collect(field.value);
  }
}

void Nominated::collect(std::string_view list) {
  std::string_view option;
  for (bool more = true; count_ < names_.size() && next_member(list, more, option);) {
    const bool known = name_of(option) != Name::other || equals_ignoring_case(option, "close");
    if (!known) names_[count_++] = {option.data(), option.size()};
  }
}

bool Nominated::holds(std::string_view name) const {
  return std::any_of(names_.begin(), names_.begin() + count_, [name](const Option& nominated) {
    return equals_ignoring_case({nominated.data, nominated.size}, name);
  });
}

HeadWriter write_end_to_end(HeadWriter writer, const Fields& fields, NameSet dropped) {
  const Nominated nominated(fields);
  std::string_view run;  // lines that follow each other, still to be copied
  for (const Field& field : fields) {
    if (dropped.holds(field.id) || nominated.holds(field)) continue;
    const std::string_view line = received_line(field);
    if (!line.empty() && run.data() + run.size() == line.data()) {
      run = {run.data(), run.size() + line.size()};
      continue;
    }
    writer.text(run);
    run = line;
    if (line.empty()) writer.field(field.name, field.value);
  }
  writer.text(run);
  return writer;
}

}  // namespace gray::http
