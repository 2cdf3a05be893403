#include "router/http/percent.hpp"

#include <cstddef>

#include "router/http/characters.hpp"

namespace gray::http {
namespace {

int digit_of(char c) { return is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10; }

bool is_encoded(std::string_view text) {
  for (const char c : text)
    if (c == '%' || c == '+') return true;
  return false;
}

}  // namespace

std::optional<std::string_view> percent_decoded(std::string_view text, std::span<char> room) {
  if (!is_encoded(text)) return text;
  std::size_t size = 0;
  for (std::size_t at = 0; at < text.size(); ++at, ++size) {
    if (size == room.size()) return std::nullopt;
    const bool digits = text[at] == '%' && text.size() - at > 2 && is_hex(text[at + 1]) && is_hex(text[at + 2]);
    if (digits) {
      room[size] = static_cast<char>(digit_of(text[at + 1]) * 16 + digit_of(text[at + 2]));
      at += 2;
    } else {
      room[size] = text[at] == '+' ? ' ' : text[at];
    }
  }
  return std::string_view(room.data(), size);
}

}  // namespace gray::http
