#include "router/stats/json_line.hpp"

#include <algorithm>
#include <array>

namespace gray::stats {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool is_between(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

/// Printable ASCII that JSON takes as it is: nearly all of nearly every text.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

std::size_t plain_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && kPlain[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

}  // namespace

void JsonLine::put_text(std::string_view value) {
  put('"');
  while (!value.empty()) {
    const std::size_t plain = plain_length(value);
    raw(value.substr(0, plain));
    value.remove_prefix(plain);
    if (!value.empty()) value.remove_prefix(special(value));
  }
  put('"');
}

void JsonLine::put_hex(std::uint64_t value) {
  put('"');
  for (int shift = 60; shift >= 0; shift -= 4) put(kHex[(value >> shift) & 15]);
  put('"');
}

std::size_t JsonLine::finish() {
  raw("}\n");
  return static_cast<std::size_t>(end_ - begin_);
}

/// Writes the character at the front, which is not plain, and returns its length.
std::size_t JsonLine::special(std::string_view value) {
  const char first = value.front();
  if (first == '"' || first == '\\') {
    put('\\');
    put(first);
    return 1;
  }
  const std::size_t length = static_cast<unsigned char>(first) < 0x80 ? 0 : utf8_length(value);
  length > 0 ? raw(value.substr(0, length)) : escaped(static_cast<unsigned char>(first));
  return std::max<std::size_t>(length, 1);
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
