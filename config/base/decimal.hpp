#pragma once
// Numbers as decimal text for heads and log lines. Most have few digits.
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace gray {

inline constexpr std::size_t kDecimalText = 20;  // characters of the longest number

/// Two digits or more.
inline char* write_long_decimal(std::uint64_t value, char* out) {
  if (value >= 10'000) return std::to_chars(out, out + kDecimalText, value).ptr;
  const auto small = static_cast<std::uint32_t>(value);
  if (small >= 1000) *out++ = static_cast<char>('0' + small / 1000);
  if (small >= 100) *out++ = static_cast<char>('0' + small / 100 % 10);
  *out++ = static_cast<char>('0' + small / 10 % 10);
  *out++ = static_cast<char>('0' + small % 10);
  return out;
}

/// Writes at most kDecimalText digits and returns their end.
inline char* write_decimal(std::uint64_t value, char* out) {
  if (value >= 10) return write_long_decimal(value, out);
  *out = static_cast<char>('0' + value);
  return out + 1;
}

}  // namespace gray
