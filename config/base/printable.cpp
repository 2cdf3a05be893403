#include "config/base/printable.hpp"

#include <algorithm>

namespace gray {
namespace {

bool is_between(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

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

char32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  const std::size_t length = character.size();
  char32_t code = length == 1 ? first : first & (0xffu >> (length + 1));
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  return code;
}

bool is_control(char32_t code) {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

void make_printable(std::string& text, char replacement, Tabs tabs) {
  for (std::size_t at = 0; at < text.size();) {
    if (is_plain(text[at]) || (text[at] == '\t' && tabs == Tabs::kept)) {
      ++at;
      continue;
    }
    const std::string_view rest = std::string_view(text).substr(at);
    const std::size_t length = utf8_length(rest);
    const std::size_t bytes = std::max<std::size_t>(length, 1);
    if (length == 0 || is_control(code_point(rest.substr(0, length))))
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), bytes, replacement);
    at += bytes;
  }
}

}  // namespace gray
