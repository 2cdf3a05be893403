#include "router/stats/hex.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace gray::stats {
namespace {

std::string hex(std::uint64_t value) {
  std::string text(kHexText, '?');
  write_hex(value, text.data());
  return text;
}

// The simple reference implementation.
std::string plainly(std::uint64_t value) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 15];
  return text;
}

TEST_CASE("a number is sixteen digits, the most significant first") {
  CHECK(hex(0) == "0000000000000000");
  CHECK(hex(0x0123456789abcdef) == "0123456789abcdef");
  CHECK(hex(~0ull) == "ffffffffffffffff");
}

TEST_CASE("every digit at every position, and random numbers") {
  for (int shift = 0; shift < 64; shift += 4) {
    for (std::uint64_t digit = 0; digit < 16; ++digit) CHECK(hex(digit << shift) == plainly(digit << shift));
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = random();
    CHECK(hex(value) == plainly(value));
  }
}

}  // namespace
}  // namespace gray::stats
