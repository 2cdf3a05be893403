#include "router/http/characters.hpp"

#include <algorithm>

#include "router/http/message.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gray::http {

namespace {

#ifdef __SSE2__
// Sixteen bytes at a time while none of them needs a closer look. A false alarm is harmless, since the bytes are then
// checked one by one; a missed byte would be a fault.
template <class Suspects>
const char* skip_blocks(const char* at, const char* end, Suspects suspects) {
  for (; end - at >= 16; at += 16) {
    const int mask = _mm_movemask_epi8(suspects(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
  return at;
}

__m128i equal(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); }
__m128i at_most(__m128i bytes, char c) { return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(c)), bytes); }
__m128i within(__m128i bytes, char first, char last) {
  return at_most(_mm_sub_epi8(bytes, _mm_set1_epi8(first)), static_cast<char>(last - first));
}

// A tab counts as one, though it is text: it is too rare for a test of its own in every block.
__m128i text_suspects(__m128i bytes) { return _mm_or_si128(at_most(bytes, 0x1f), equal(bytes, 0x7f)); }

// Names consist of letters, digits and '-'; other token characters are rare.
__m128i dashed_suspects(__m128i bytes) {
  const __m128i letter = within(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
  const __m128i usual = _mm_or_si128(_mm_or_si128(letter, within(bytes, '0', '9')), equal(bytes, '-'));
  return _mm_xor_si128(usual, _mm_set1_epi8(-1));
}

__m128i target_suspects(__m128i bytes) {
  const __m128i visible = within(bytes, 0x21, 0x7e);
  return _mm_or_si128(_mm_xor_si128(visible, _mm_set1_epi8(-1)), equal(bytes, '#'));
}
#endif

const char* skip_bytes(character::Bit bit, const char* at, const char* end) {
  while (at != end && character::is(bit, *at)) ++at;
  return at;
}

}  // namespace

const char* skip_text(const char* at, const char* end) {
#ifdef __SSE2__
  at = skip_blocks(at, end, text_suspects);
#endif
  return skip_bytes(character::text, at, end);
}

const char* skip_token(const char* at, const char* end) {
#ifdef __SSE2__
  at = skip_blocks(at, end, dashed_suspects);
#endif
  return skip_bytes(character::token, at, end);
}

const char* skip_dashed(const char* at, const char* end) {
#ifdef __SSE2__
  at = skip_blocks(at, end, dashed_suspects);
#endif
  return skip_bytes(character::dashed, at, end);
}

const char* skip_target(const char* at, const char* end) {
#ifdef __SSE2__
  at = skip_blocks(at, end, target_suspects);
#endif
  return skip_bytes(character::target, at, end);
}

bool next_member(std::string_view& rest, bool& more, std::string_view& member) {
  if (!more) return false;
  const std::size_t comma = rest.find(',');
  more = comma != std::string_view::npos;
  member = trim_blanks(rest.substr(0, comma));
  rest.remove_prefix(more ? comma + 1 : rest.size());
  return true;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

}  // namespace gray::http
