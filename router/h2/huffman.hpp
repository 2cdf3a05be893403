#pragma once
// The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), decoded four bits at a time by a state machine that
// is made at compile time. The code is canonical, so the lengths of its 257 words are the whole table.
//
// Nothing here encodes: answers are written without Huffman, which costs some bytes and saves much time.
#include <cstddef>
#include <optional>
#include <string_view>

namespace gray::h2 {

/// The most bytes that `size` encoded bytes can become: the shortest word has five bits.
constexpr std::size_t huffman_bound(std::size_t size) { return size * 8 / 5; }

/// Decodes to `out`, at least the bound, and returns the length. Nothing: the word EOS, padding of more than seven
/// bits, or padding that is not all ones.
std::optional<std::size_t> decode_huffman(std::string_view encoded, char* out);

/// Of the word of a symbol; 256 is EOS.
unsigned huffman_bits(unsigned symbol);
/// The word itself, in the low bits.
unsigned huffman_word(unsigned symbol);

}  // namespace gray::h2
