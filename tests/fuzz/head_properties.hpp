#pragma once
// What must hold of every head, request or response.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/http/characters.hpp"
#include "router/wire/end_to_end.hpp"
#include "router/wire/head.hpp"
#include "tests/fuzz/arrival.hpp"

namespace gray::fuzz {

/// Small, so that their edges are met often.
inline constexpr http::HeadLimits kLimits{1024, 12};

inline std::size_t count(const http::Fields& fields, http::Name id) {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(), [id](const http::Field& field) { return field.id == id; }));
}

/// CRLF line ends only, no control byte, and no line that could be taken for the continuation of the one before.
inline void check_clean(std::string_view head) {
  must(head.ends_with("\r\n\r\n"), "a head ends with an empty line");
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto c = static_cast<unsigned char>(head[i]);
    if (c == '\r') must(i + 1 < head.size() && head[i + 1] == '\n', "no bare CR");
    if (c == '\n') must(i > 0 && head[i - 1] == '\r', "no bare LF");
    if (c == '\n' && i + 1 < head.size()) must(head[i + 1] != ' ' && head[i + 1] != '\t', "no folded line");
    if (c < 0x20) must(c == '\r' || c == '\n' || c == '\t', "no control byte");
    must(c != 0x7f, "no DEL");
  }
}

inline void check_within(std::string_view part, std::string_view whole, const char* property) {
  must(part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()),
       property);
}

inline void check_fields(const http::Fields& fields, std::string_view head, std::size_t limit) {
  must(fields.count <= limit, "no more fields than allowed");
  for (const http::Field& field : fields) {
    check_within(field.name, head, "a name lies within its head");
    check_within(field.value, head, "a value lies within its head");
    must(!field.name.empty() && std::all_of(field.name.begin(), field.name.end(), http::is_token), "a name is a token");
    must(std::all_of(field.value.begin(), field.value.end(), http::is_text), "a value is text");
    must(http::trim_blanks(field.value) == field.value, "a value has no blanks around it");
  }
  must(count(fields, http::Name::content_length) + count(fields, http::Name::transfer_encoding) <= 1,
       "at most one of Content-Length and Transfer-Encoding");
}

/// The end of a head is found where the parser finds it, however it is searched.
inline void check_end(std::string_view input, std::size_t head_size, Choices& choices) {
  std::size_t searched = 0, end = 0;
  for (std::size_t n = 0; end == 0 && n < input.size();) {
    n = std::min(input.size(), n + 1 + choices.below(40));
    end = http::find_head_end(input.substr(0, n), searched);
  }
  must(end == head_size, "the end of the head is found");
}

using Line = std::pair<std::string, std::string>;

/// The fields that neither the router knows nor Connection names: they must go on, in their order. `close` is an option
/// and no name of a field.
inline std::vector<Line> end_to_end(const http::Fields& fields) {
  std::vector<Line> lines;
  for (const http::Field& field : fields) {
    const bool named = fields.connection_lists(field.name) && !http::equals_ignoring_case(field.name, "close");
    if (field.id != http::Name::other || named) continue;
    lines.emplace_back(field.name, field.value);
  }
  return lines;
}

}  // namespace gray::fuzz
