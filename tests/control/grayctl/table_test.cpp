#include "control/grayctl/table.hpp"

#include <doctest/doctest.h>

using namespace gray::control;

namespace {

using Lines = std::vector<std::string>;

Table two_columns() { return Table({{"NAME", 4}, {"N", 0, true}}, 0); }

}  // namespace

TEST_CASE("columns are as wide as their widest cell, and numbers are right-aligned") {
  Table table = two_columns();
  table.add({"a", "1"});
  table.add({"longer", "1000"});
  CHECK(table.lines({}) == Lines{"NAME       N", "a          1", "longer  1000"});
  CHECK(table.size() == 2);
}

TEST_CASE("in a line that is too long the gaps shrink first, then the shrinkable columns") {
  Table table = two_columns();
  table.add({"abcdefgh", "12345"});
  CHECK(table.lines({.width = 15, .colour = false})[1] == "abcdefgh  12345");
  CHECK(table.lines({.width = 14, .colour = false})[1] == "abcdefgh 12345");
  CHECK(table.lines({.width = 12, .colour = false})[1] == "abcde… 12345");
  CHECK(table.lines({.width = 3, .colour = false})[1] == "abc… 12345");
}

TEST_CASE("lines are indented and have no spaces at their end") {
  Table table({{"A"}, {"B"}}, 2);
  table.add({"x", ""});
  CHECK(table.lines({}) == Lines{"  A  B", "  x"});
}

TEST_CASE("characters count, not bytes") {
  Table table = two_columns();
  table.add({"äöü", "1"});
  table.add({"abcd", "2"});
  CHECK(table.lines({})[1] == "äöü   1");
  CHECK(cut("äöüß", 3) == "äö…");
  CHECK(cut("äöü", 3) == "äöü");
  CHECK(cut("abc", 0).empty());
}

TEST_CASE("control characters are removed") {
  CHECK(cut("a\x1b[31mb\nc\x7f", 80) == "a [31mb c ");
  CHECK(cut("a\xe2\x80\xae"
            "b",
            80) == "a   b");
  CHECK(wrap("a\x1b]0;x\ab", 80) == Lines{"a ]0;x b"});
}

TEST_CASE("colours do not change the layout") {
  Table table = two_columns();
  table.add({{"ok", Colour::good}, {"1", Colour::bad}});
  CHECK(table.lines({.width = 80, .colour = true}) ==
        Lines{"\x1b[1mNAME\x1b[0m  \x1b[1mN\x1b[0m", "\x1b[32mok\x1b[0m    \x1b[31m1\x1b[0m"});
  CHECK(table.lines({.width = 80, .colour = false})[1] == "ok    1");
  CHECK(paint("x", Colour::none, true) == "x");
  CHECK(paint("x", Colour::doubtful, true) == "\x1b[33mx\x1b[0m");
  CHECK(paint("x", Colour::faint, true) == "\x1b[2mx\x1b[0m");
}

TEST_CASE("text is broken at spaces, and a word that is too long anywhere") {
  CHECK(wrap("the quick brown fox", 10) == Lines{"the quick", "brown fox"});
  CHECK(wrap("exactly ten", 7) == Lines{"exactly", "ten"});
  CHECK(wrap("abcdefghij", 4) == Lines{"abcd", "efgh", "ij"});
  CHECK(wrap("äöüäöü", 4) == Lines{"äöüä", "öü"});
  CHECK(wrap("", 4) == Lines{""});
}
