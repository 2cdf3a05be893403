#include "router/stats/json_line.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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

constexpr std::uint64_t each(unsigned char byte) { return 0x0101'0101'0101'0101 * byte; }

/// Whether all eight bytes are plain: in none of the sums does a byte show its highest bit. A byte that is not plain
/// may make its neighbour look so too.
bool is_plain(std::uint64_t word) {
  const auto equal = [word](unsigned char byte) { return ((word ^ each(byte)) - each(1)) & ~(word ^ each(byte)); };
  return ((word | (word - each(0x20)) | (word + each(1)) | equal('"') | equal('\\')) & each(0x80)) == 0;
}

template <typename Word>
Word load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Copies `text` if all of it is plain; what it wrote is meaningless else. Words may overlap, so that a short text, as
/// nearly all are, is one or two of them.
bool copy_plain(std::string_view text, char* out) {
  const char* at = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t i = 0; i < size; i += 8) {
      const std::size_t place = std::min(i, size - 8);
      const auto word = load<std::uint64_t>(at + place);
      if (!is_plain(word)) return false;
      std::memcpy(out + place, &word, sizeof word);
    }
    return true;
  }
  if (size >= 4) {
    const auto first = load<std::uint32_t>(at), last = load<std::uint32_t>(at + size - 4);
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + size - 4, &last, sizeof last);
    return is_plain(std::uint64_t{first} << 32 | last);
  }
  return std::all_of(text.begin(), text.end(), [&out](char c) {
    *out++ = c;
    return kPlain[static_cast<unsigned char>(c)];
  });
}

char* copy(std::string_view text, char* out) { return std::copy(text.begin(), text.end(), out); }

char* escape(unsigned char byte, char* out) {
  out = copy("\\u00", out);
  *out++ = kHex[byte >> 4];
  *out++ = kHex[byte & 15];
  return out;
}

/// Writes the character at the front, which is not plain, and takes it off `value`.
char* write_special(std::string_view& value, char* out) {
  const char first = value.front();
  const std::size_t length = static_cast<unsigned char>(first) < 0x80 ? 0 : utf8_length(value);
  if (first == '"' || first == '\\') {
    *out++ = '\\';
    *out++ = first;
  } else if (length > 0) {
    out = copy(value.substr(0, length), out);
  } else {
    out = escape(static_cast<unsigned char>(first), out);
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
