#include "router/h2/hpack_encoder.hpp"

#include <algorithm>
#include <string>

#include "router/h2/hpack_table.hpp"
#include "router/http/characters.hpp"

namespace gray::h2 {

namespace {

constexpr unsigned kNeverIndexed = 0x10;
constexpr std::uint32_t kFirstStatus = 8;  // in the static table, with the name that the others refer to

// The index of a usual status; 0: another.
std::uint32_t status_index(int status) {
  switch (status) {
    case 200: return 8;
    case 204: return 9;
    case 206: return 10;
    case 304: return 11;
    case 400: return 12;
    case 404: return 13;
    case 500: return 14;
    default: return 0;
  }
}

bool is_secret(std::uint32_t index) {
  constexpr std::uint32_t kAuthorization = 23, kCookie = 32, kProxyAuthorization = 49, kSetCookie = 55;
  return index == kAuthorization || index == kCookie || index == kProxyAuthorization || index == kSetCookie;
}

char* encode_plain(std::string_view text, char* out) {
  out = encode_integer(static_cast<std::uint32_t>(text.size()), 7, 0, out);
  std::char_traits<char>::copy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

char* encode_integer(std::uint32_t value, unsigned bits, unsigned first, char* out) {
  const std::uint32_t mask = (1U << bits) - 1;
  if (value < mask) {
    *out++ = static_cast<char>(first | value);
    return out;
  }
  *out++ = static_cast<char>(first | mask);
  for (value -= mask; value >= 0x80; value >>= 7) *out++ = static_cast<char>((value & 0x7f) | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

char* encode_status(int status, char* out) {
  if (const std::uint32_t index = status_index(status); index != 0) return encode_integer(index, 7, 0x80, out);
  out = encode_integer(kFirstStatus, 4, 0, out);
  *out++ = 3;
  *out++ = static_cast<char>('0' + status / 100);
  *out++ = static_cast<char>('0' + status / 10 % 10);
  *out++ = static_cast<char>('0' + status % 10);
  return out;
}

char* encode_field(std::string_view name, std::string_view value, char* out) {
  const std::uint32_t index = static_name(name);
  out = encode_integer(index, 4, is_secret(index) ? kNeverIndexed : 0, out);
  if (index == 0) {
    out = encode_integer(static_cast<std::uint32_t>(name.size()), 7, 0, out);
    out = std::transform(name.begin(), name.end(), out, http::to_lower);
  }
  return encode_plain(value, out);
}

}  // namespace gray::h2
