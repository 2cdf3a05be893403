#include "router/stats/json_line.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "config/base/printable.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gray::stats {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// Printable ASCII that needs no escape in JSON: nearly all text.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

#ifdef __SSE2__
bool is_plain(__m128i bytes) {
  const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(0x20));
  const __m128i printable = _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(0x7e - 0x20)), offset);
  const __m128i escaped =
      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
  return _mm_movemask_epi8(_mm_andnot_si128(escaped, printable)) == 0xffff;
}

/// Of 16 bytes or more: the last block may overlap the one before.
bool copy_blocks(std::string_view text, char* out) {
  for (std::size_t i = 0; i < text.size(); i += 16) {
    const std::size_t offset = std::min(i, text.size() - 16);
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + offset));
    if (!is_plain(block)) return false;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + offset), block);
  }
  return true;
}

/// Of one to two words: the first and the last one, which may overlap.
template <typename Word>
bool copy_words(std::string_view text, char* out) {
  Word words[16 / sizeof(Word)];
  std::memcpy(&words[0], text.data(), sizeof(Word));
  std::memcpy(&words[1], text.data() + text.size() - sizeof(Word), sizeof(Word));
  std::memcpy(out, &words[0], sizeof(Word));
  std::memcpy(out + text.size() - sizeof(Word), &words[1], sizeof(Word));
  for (std::size_t i = 2; i < std::size(words); ++i) words[i] = words[0];
  return is_plain(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words)));
}
#endif

/// Copies `text` if all of it is plain; otherwise the output is undefined.
bool copy_plain(std::string_view text, char* out) {
#ifdef __SSE2__
  if (text.size() >= 16) return copy_blocks(text, out);
  if (text.size() >= 8) return copy_words<std::uint64_t>(text, out);
  if (text.size() >= 4) return copy_words<std::uint32_t>(text, out);
#endif
  bool plain = true;
  for (const char c : text) {
    plain = plain && kPlain[static_cast<unsigned char>(c)];
    *out++ = c;
  }
  return plain;
}

char* copy(std::string_view text, char* out) { return std::copy(text.begin(), text.end(), out); }

/// As \u and four digits: every control character is below U+10000.
char* escape(char32_t code, char* out) {
  out = copy("\\u", out);
  for (int shift = 12; shift >= 0; shift -= 4) *out++ = kHex[code >> shift & 15];
  return out;
}

/// Writes the character at the front, which is not plain, and takes it off `value`.
char* write_special(std::string_view& value, char* out) {
  const char first = value.front();
  const std::size_t length = static_cast<unsigned char>(first) < 0x80 ? 0 : utf8_length(value);
  if (first == '"' || first == '\\') {
    *out++ = '\\';
    *out++ = first;
  } else if (length == 0) {
    out = escape(static_cast<unsigned char>(first), out);
  } else if (const char32_t code = code_point(value.substr(0, length)); is_control(code)) {
    out = escape(code, out);
  } else {
    out = copy(value.substr(0, length), out);
  }
  value.remove_prefix(std::max<std::size_t>(length, 1));
  return out;
}

}  // namespace

char* write_json_text(std::string_view value, char* out) {
  if (copy_plain(value, out)) return out + value.size();
  while (!value.empty()) {
    if (kPlain[static_cast<unsigned char>(value.front())]) {
      *out++ = value.front();
      value.remove_prefix(1);
    } else {
      out = write_special(value, out);
    }
  }
  return out;
}

}  // namespace gray::stats
