#pragma once
// Bytes as hexadecimal digits, with spaces between them wherever that helps.
#include <string>
#include <string_view>

namespace gray::h2 {

inline std::string from_hex(std::string_view text) {
  std::string bytes, digits;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

}  // namespace gray::h2
