#include "router/http/characters.hpp"

#include <algorithm>

#include "router/http/head.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gray::http {

const char* skip_text(const char* at, const char* end) {
#ifdef __SSE2__
  // Most of a head is text, sixteen bytes at a time: a byte stops us if it is at most 0x1f but not HTAB, or 0x7f.
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const int stops = _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del));
    if (stops != 0) return at + __builtin_ctz(static_cast<unsigned>(stops));
  }
#endif
  while (at != end && is_text(*at)) ++at;
  return at;
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
