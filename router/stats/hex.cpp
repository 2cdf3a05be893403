#include "router/stats/hex.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gray::stats {

#ifdef __SSE2__
// All digits at once: each byte of the number, in the order of the text, becomes two.
void write_hex(std::uint64_t value, char* out) {
  const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(__builtin_bswap64(value)));
  const __m128i low_half = _mm_set1_epi8(15);
  const __m128i digits =
      _mm_unpacklo_epi8(_mm_and_si128(_mm_srli_epi64(bytes, 4), low_half), _mm_and_si128(bytes, low_half));
  const __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
  const __m128i text = _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), text);
}
#else
void write_hex(std::uint64_t value, char* out) {
  for (std::size_t i = kHexText; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}
#endif

}  // namespace gray::stats
