#include "config/base/decimal.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray;

namespace {

std::string decimal(std::uint64_t value) {
  char text[kDecimalText];
  return {text, write_decimal(value, text)};
}

}  // namespace

TEST_CASE("numbers have neither sign nor leading zeros") {
  for (std::uint64_t value = 0; value < 20'000; ++value) REQUIRE(decimal(value) == std::to_string(value));
  CHECK(decimal(100'000) == "100000");
  CHECK(decimal(~0ull) == "18446744073709551615");
  CHECK(decimal(~0ull).size() == kDecimalText);
}
