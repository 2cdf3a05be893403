#include "router/h2/huffman.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "tests/router/h2/hex.hpp"
#include "tests/router/h2/huffman_coding.hpp"

using namespace gray::h2;

namespace {

std::optional<std::string> decoded_huffman(std::string_view encoded) {
  std::string out(huffman_bound(encoded.size()), '?');
  const std::optional<std::size_t> size = decode_huffman(encoded, out.data());
  if (!size) return std::nullopt;
  REQUIRE(*size <= out.size());
  return out.substr(0, *size);
}

}  // namespace

TEST_CASE("The Huffman examples of RFC 7541 appendix C are decoded") {
  CHECK(decoded_huffman(from_hex("f1e3 c2e5 f23a 6ba0 ab90 f4ff")) == "www.example.com");
  CHECK(decoded_huffman(from_hex("a8eb 1064 9cbf")) == "no-cache");
  CHECK(decoded_huffman(from_hex("25a8 49e9 5ba9 7d7f")) == "custom-key");
  CHECK(decoded_huffman(from_hex("6402")) == "302");
  CHECK(decoded_huffman(from_hex("d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff")) ==
        "Mon, 21 Oct 2013 20:13:21 GMT");
}

TEST_CASE("Every byte, and every pair of bytes, is decoded as it was encoded") {
  for (int a = 0; a < 256; ++a) {
    CHECK(decoded_huffman(encode_huffman(std::string(1, static_cast<char>(a)))) ==
          std::string(1, static_cast<char>(a)));
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      if (decoded_huffman(encode_huffman(text)) != text) FAIL("pair ", a, " ", b);
    }
  }
  CHECK(decoded_huffman("") == "");
}

TEST_CASE("A Huffman string fits into its bound") {
  const std::string shortest(1000, 'e');  // five bits each
  const std::string encoded = encode_huffman(shortest);
  CHECK(huffman_bound(encoded.size()) == shortest.size());
  CHECK(decoded_huffman(encoded) == shortest);
}

TEST_CASE("Padding has at most seven bits, all ones") {
  CHECK(decoded_huffman(from_hex("1f")) == "a");  // 00011 and 111
  CHECK(decoded_huffman(from_hex("1f ff")) == std::nullopt);
  CHECK(decoded_huffman(from_hex("ff")) == std::nullopt);
  CHECK(decoded_huffman(from_hex("18")) == std::nullopt);
  CHECK(decoded_huffman(from_hex("1e")) == std::nullopt);
  CHECK(decoded_huffman(from_hex("5f")) == ".");  // 010111 and 11
}

TEST_CASE("The word EOS is refused wherever it is") {
  CHECK(decoded_huffman(from_hex("ff ff ff fc")) == std::nullopt);
  CHECK(decoded_huffman(from_hex("ff ff ff ff")) == std::nullopt);
  CHECK(decoded_huffman(from_hex("1f ff ff ff ff")) == std::nullopt);
}
