#include "router/targeting/text_table.hpp"

#include <doctest/doctest.h>

namespace gray::targeting {

TEST_CASE("each text of a scope has a number") {
  TextTable<Case::counts> table;
  CHECK_FALSE(table.find(0, "a"));
  std::uint16_t next = 5;
  CHECK(table.add(0, "a", next) == 5);
  CHECK(table.add(1, "a", next) == 6);
  CHECK(table.add(0, "a", next) == 5);
  CHECK(table.add(0, "", next) == 7);
  CHECK(next == 8);
  CHECK(table.find(0, "a") == 5);
  CHECK(table.find(1, "a") == 6);
  CHECK(table.find(0, "") == 7);
  CHECK_FALSE(table.find(1, ""));
  CHECK_FALSE(table.find(0, "A"));
}

TEST_CASE("texts of every length are found, and no others") {
  TextTable<Case::counts> table;
  std::uint16_t next = 0;
  for (std::size_t size = 0; size < 40; ++size)
    for (std::size_t at = 0; at <= size; ++at) {
      std::string text(size, 'x');
      if (at < size) text[at] = 'y';
      table.add(3, text, next);
    }
  CHECK(next == 40 + 39 * 40 / 2);
  for (std::size_t size = 0; size < 40; ++size) {
    CHECK(table.find(3, std::string(size, 'x')));
    CHECK(table.find(3, std::string(size, 'z')).has_value() == (size == 0));
  }
}

TEST_CASE("the case of a token does not matter where it is ignored") {
  TextTable<Case::ignored> table;
  std::uint16_t next = 0;
  for (const char* name : {"x-beta", "x", "x-a-very-long-name-of-a-header", "a_b"}) table.add(0, name, next);
  CHECK(table.find(0, "X-Beta") == 0);
  CHECK(table.find(0, "X") == 1);
  CHECK(table.find(0, "X-A-VERY-LONG-NAME-OF-A-HEADER") == 2);
  CHECK(table.find(0, "A_B") == 3);
  CHECK_FALSE(table.find(0, "X-Bet"));
  CHECK_FALSE(table.find(0, "x_beta"));
}

TEST_CASE("a look-up reads few slots, whatever the number of texts") {
  for (const std::uint32_t count : {1u, 1'000u, 50'000u}) {
    TextTable<Case::ignored, std::uint32_t> table;
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < count; ++i) table.add(0, "shop-" + std::to_string(i) + ".example.com", next);
    CHECK(next == count);
    CHECK(table.find(0, "SHOP-" + std::to_string(count - 1) + ".Example.COM") == count - 1);
    CHECK(table.most_steps() <= 64);
  }
  CHECK(TextTable<Case::counts>().most_steps() == 1);
}

}  // namespace gray::targeting
