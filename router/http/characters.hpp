#pragma once
// The character classes of RFC 9110 5.6 and RFC 9112 3, in one table of bits: a look-up per byte, no locale, no
// branches.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gray::http {

namespace character {

enum Bit : std::uint8_t { token = 1, text = 2, target = 4, host = 8, hex = 16, dashed = 32 };

constexpr bool is_alnum(int c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

constexpr std::uint8_t classify(int c) {
  const auto one_of = [c](std::string_view set) { return set.find(static_cast<char>(c)) != std::string_view::npos; };
  int bits = 0;
  if (is_alnum(c) || (c < 0x80 && one_of("!#$%&'*+-.^_`|~"))) bits |= token;
  if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= text;  // obs-text passes through (P14)
  if (c > 0x20 && c < 0x7f && c != '#') bits |= target;     // a fragment is never sent, so '#' is an attack
  if (is_alnum(c) || (c < 0x80 && one_of("-._~%!$&'()*+;="))) bits |= host;  // reg-name without its comma (P6)
  if (is_alnum(c) || c == '-') bits |= dashed;
  if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')) bits |= hex;
  return static_cast<std::uint8_t>(bits);
}

inline constexpr auto kBits = [] {
  std::array<std::uint8_t, 256> bits{};
  for (int c = 0; c < 256; ++c) bits[static_cast<std::size_t>(c)] = classify(c);
  return bits;
}();

inline constexpr auto kLower = [] {
  std::array<char, 256> lower{};
  for (std::size_t c = 0; c < lower.size(); ++c) lower[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return lower;
}();

constexpr bool is(Bit bit, char c) { return (kBits[static_cast<unsigned char>(c)] & bit) != 0; }

}  // namespace character

constexpr bool is_token(char c) { return character::is(character::token, c); }    // tchar
constexpr bool is_dashed(char c) { return character::is(character::dashed, c); }  // letters, digits and '-'
constexpr bool is_text(char c) { return character::is(character::text, c); }      // field-vchar, obs-text, SP, HTAB
constexpr bool is_target(char c) { return character::is(character::target, c); }  // visible ASCII but '#'
constexpr bool is_host(char c) { return character::is(character::host, c); }
constexpr bool is_hex(char c) { return character::is(character::hex, c); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr char to_lower(char c) { return character::kLower[static_cast<unsigned char>(c)]; }

/// The first byte in [at, end) that is not of that class, or `end`. Control bytes, CR and LF among them, are not text.
const char* skip_text(const char* at, const char* end);
const char* skip_token(const char* at, const char* end);
const char* skip_dashed(const char* at, const char* end);
const char* skip_target(const char* at, const char* end);

/// More members than this in one list of a message, over all fields of its name, are an attack on CPU time. Every list
/// whose members are looked at has this bound.
inline constexpr std::uint32_t kMaxListMembers = 32;

/// Takes the next member of a comma-separated list off `rest`, without the blanks around it; empty members come too.
/// False when the list is exhausted: `more` starts true and is the caller's memory between calls.
bool next_member(std::string_view& rest, bool& more, std::string_view& member);

/// Without leading and trailing SP and HTAB.
std::string_view trim_blanks(std::string_view text);

/// Whether `text` is exactly this word. Compares one or two machine words, where == may be two calls.
template <std::size_t Size>
[[gnu::always_inline]] inline bool is_word(std::string_view text, const char (&word)[Size]) {
  return text.size() == Size - 1 && std::memcmp(text.data(), word, Size - 1) == 0;
}

}  // namespace gray::http
