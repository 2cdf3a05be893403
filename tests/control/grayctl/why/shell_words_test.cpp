#include "control/grayctl/why/shell_words.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

using Words = std::vector<std::string>;

Words split(std::string_view text) {
  auto words = shell_words(text);
  REQUIRE(std::holds_alternative<Words>(words));
  return std::get<Words>(words);
}

TEST_CASE("words, quotes and backslashes") {
  CHECK(split("") == Words{});
  CHECK(split(" \t\n") == Words{});
  CHECK(split(" a  b\tc\nd ") == Words{"a", "b", "c", "d"});
  CHECK(split("'a b' \"c d\"") == Words{"a b", "c d"});
  CHECK(split("a'b c'd\"e\"") == Words{"ab cde"});
  CHECK(split("'' \"\"") == Words{"", ""});
  CHECK(split("'a\\n' '\"'") == Words{"a\\n", "\""});
  CHECK(split("\"a\\\"b\\\\c\\$d\\`e\\n\"") == Words{"a\"b\\c$d`e\\n"});
  CHECK(split("a\\ b \\' \\\\") == Words{"a b", "'", "\\"});
  CHECK(split("'it'\\''s'") == Words{"it's"});
}

TEST_CASE("a backslash at the end of a line joins the lines") {
  CHECK(split("curl a \\\n  -H b \\\n  -c") == Words{"curl", "a", "-H", "b", "-c"});
  CHECK(split("ab\\\ncd \"e\\\nf\"") == Words{"abcd", "ef"});
  CHECK(split("a \\\n") == Words{"a"});
}

TEST_CASE("escapes in $'...', as browsers write them") {
  CHECK(split("$'a\\'b'") == Words{"a'b"});
  CHECK(split("$'\\u0021\\u00e4\\u20ac\\U0001F600\\x41\\101\\n\\t\\\\\\\"'") == Words{"!ä€😀AA\n\t\\\""});
  CHECK(split("x$'y'z") == Words{"xyz"});
  CHECK(split("$ '$' $x") == Words{"$", "$", "$x"});
}

TEST_CASE("a quote that is not closed is an error") {
  for (const char* text : {"'a", "\"a", "$'a", "a \"b\\\"", "'", "$'\\"})
    CHECK(std::get<std::string>(shell_words(text)) == "a quote in the command line is not closed");
}

}  // namespace
}  // namespace gray::control
