#pragma once
// A Huffman encoder, for tests only: the router sends none.
#include <string>
#include <string_view>

#include "router/h2/huffman.hpp"

namespace gray::h2 {

inline std::string encode_huffman(std::string_view text) {
  std::string out;
  std::uint64_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto symbol = static_cast<unsigned char>(c);
    bits = bits << huffman_bits(symbol) | huffman_word(symbol);
    for (count += huffman_bits(symbol); count >= 8; count -= 8) out += static_cast<char>(bits >> (count - 8));
  }
  if (count > 0) out += static_cast<char>((bits << (8 - count)) | (0xffU >> count));
  return out;
}

}  // namespace gray::h2
