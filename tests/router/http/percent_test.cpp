#include "router/http/percent.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace gray::http {

TEST_CASE("percent-encoded text is decoded once") {
  std::array<char, 8> room;
  const auto decoded = [&](std::string_view text) {
    return std::string(percent_decoded(text, room).value_or("(long)"));
  };
  CHECK(decoded("") == "");
  CHECK(decoded("plain text that is longer than the room") == "plain text that is longer than the room");
  CHECK(decoded("a+b") == "a b");
  CHECK(decoded("%41%6a%6A") == "Ajj");
  CHECK(decoded("%2541") == "%41");
  CHECK(decoded("%") == "%");
  CHECK(decoded("%4") == "%4");
  CHECK(decoded("%4g+") == "%4g ");
  CHECK(decoded("a%41") == "aA");
  CHECK(decoded("12345678%") == "(long)");
  CHECK(decoded("1234567%38") == "12345678");
  CHECK(decoded(std::string_view("%00", 3)) == std::string(1, '\0'));
}

TEST_CASE("text without escapes is not copied") {
  std::array<char, 1> room;
  const std::string_view text = "name";
  CHECK(percent_decoded(text, room)->data() == text.data());
}

}  // namespace gray::http
