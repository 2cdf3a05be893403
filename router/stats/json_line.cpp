#include "router/stats/json_line.hpp"

#include <cassert>
#include <charconv>
#include <cstring>

namespace gray::stats {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool is_between(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

}  // namespace

void JsonLine::text(std::string_view name_of, std::string_view value, std::size_t limit) {
  name(name_of);
  put('"');
  value = value.substr(0, limit);
  while (!value.empty()) {
    const std::size_t length = utf8_length(value);
    const char first = value.front();
    if (first == '"' || first == '\\') put('\\');
    if (length == 0 || static_cast<unsigned char>(first) < 0x20 || first == 0x7f) {
      escaped(static_cast<unsigned char>(first));
      value.remove_prefix(1);
    } else {
      raw(value.substr(0, length));
      value.remove_prefix(length);
    }
  }
  put('"');
}

void JsonLine::number(std::string_view name_of, std::uint64_t value) {
  name(name_of);
  end_ = std::to_chars(end_, end_ + 20, value).ptr;
}

void JsonLine::boolean(std::string_view name_of, bool value) {
  name(name_of);
  raw(value ? "true" : "false");
}

void JsonLine::null(std::string_view name_of) {
  name(name_of);
  raw("null");
}

void JsonLine::hex(std::string_view name_of, std::uint64_t value) {
  name(name_of);
  put('"');
  for (int shift = 60; shift >= 0; shift -= 4) put(kHex[(value >> shift) & 15]);
  put('"');
}

void JsonLine::timestamp(std::string_view name_of, WallTime value, LineClock& clock) {
  name(name_of);
  put('"');
  clock.write(value, end_);
  end_ += kTimeText;
  put('"');
}

std::size_t JsonLine::finish() {
  raw("}\n");
  return static_cast<std::size_t>(end_ - begin_);
}

void JsonLine::name(std::string_view name) {
  assert(name.size() <= kMaxName);
  put(end_ == begin_ ? '{' : ',');
  put('"');
  raw(name);
  raw("\":");
}

void JsonLine::raw(std::string_view text) {
  std::memcpy(end_, text.data(), text.size());
  end_ += text.size();
}

void JsonLine::escaped(unsigned char byte) {
  raw("\\u00");
  put(kHex[byte >> 4]);
  put(kHex[byte & 15]);
}

std::size_t utf8_length(std::string_view text) {
  if (is_between(text, 0, 0x00, 0x7f)) return 1;
  if (is_between(text, 0, 0xc2, 0xdf)) return is_between(text, 1, 0x80, 0xbf) ? 2 : 0;
  if (is_between(text, 0, 0xe0, 0xef)) {
    const unsigned low = text[0] == '\xe0' ? 0xa0 : 0x80;   // below: overlong
    const unsigned high = text[0] == '\xed' ? 0x9f : 0xbf;  // above: a surrogate
    return is_between(text, 1, low, high) && is_between(text, 2, 0x80, 0xbf) ? 3 : 0;
  }
  if (is_between(text, 0, 0xf0, 0xf4)) {
    const unsigned low = text[0] == '\xf0' ? 0x90 : 0x80;   // below: overlong
    const unsigned high = text[0] == '\xf4' ? 0x8f : 0xbf;  // above: beyond U+10FFFF
    return is_between(text, 1, low, high) && is_between(text, 2, 0x80, 0xbf) && is_between(text, 3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

}  // namespace gray::stats
