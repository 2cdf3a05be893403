#include "config/base/diagnostics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <utility>

using namespace gray;

TEST_CASE("a diagnostic shows file, place, line and caret") {
  CHECK(render("a.toml", "one\ntwo = 3\n", {{2, 7, "too small"}}) ==
        "a.toml:2:7: error: too small\n  two = 3\n        ^\n");
}

TEST_CASE("diagnostics come in the order of the file, those of one place in the order they were found") {
  CHECK(render("f", "abc", {{1, 3, "c"}, {1, 1, "a"}, {1, 3, "d"}, {0, 0, "all"}}) ==
        "f: error: all\nf:1:1: error: a\n  abc\n  ^\nf:1:3: error: c\n  abc\n    ^\nf:1:3: error: d\n  abc\n    ^\n");
}

TEST_CASE("the caret counts characters, keeps tabs, and stays within the line") {
  CHECK(render("f", "\u00fc\u00fc = x", {{1, 6, "m"}}) == "f:1:6: error: m\n  \u00fc\u00fc = x\n       ^\n");
  CHECK(render("f", "\tx = 1", {{1, 2, "m"}}) == "f:1:2: error: m\n  \tx = 1\n  \t^\n");
  CHECK(render("f", "ab\r\n", {{1, 9, "m"}}) == "f:1:9: error: m\n  ab\n    ^\n");
  CHECK(render("f", "ab", {{7, 1, "m"}}) == "f:7:1: error: m\n  \n  ^\n");
}

TEST_CASE("of a long line the part around the column is shown") {
  const std::string long_line = std::string(300, 'a') + "X" + std::string(300, 'b');
  CHECK(render("f", long_line, {{1, 301, "m"}}) == "f:1:301: error: m\n  ..." + std::string(80, 'a') + "X" +
                                                       std::string(79, 'b') + "...\n  " + std::string(83, ' ') + "^\n");
  CHECK(render("f", long_line, {{1, 1, "m"}}) == "f:1:1: error: m\n  " + std::string(160, 'a') + "...\n  ^\n");
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\u00fc";
  const std::string shown = render("f", umlauts, {{1, 200, "m"}});
  CHECK(shown.ends_with("\n  " + std::string(43, ' ') + "^\n"));
}

TEST_CASE("thousands of diagnostics are shown as each one alone, and cost one pass over the text") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::string text;
  std::vector<Diagnostic> all;
  for (std::uint32_t line = 1; line <= 60; ++line) {
    const auto size = static_cast<std::uint32_t>(random() % (line % 3 == 0 ? 1'000 : 100));
    for (std::uint32_t i = 0; i < size; ++i) text += random() % 4 == 0 ? "\u00fc" : random() % 9 == 0 ? "\t" : "x";
    for (std::uint32_t i = 0; i < 20; ++i)
      all.push_back({line, 1 + static_cast<std::uint32_t>(random() % (size + 10)), "m"});
    text += random() % 5 == 0 ? "\r\n" : "\n";
  }
  for (std::uint32_t line = 61; line < 64; ++line) all.push_back({line, 1, "behind the end"});
  std::stable_sort(all.begin(), all.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  std::string expected;
  TextWalk walk(text);
  for (const Diagnostic& one : all) {
    expected += render("f", text, {one});
    CHECK(walk.line(one.line) == line_of(text, one.line));
    walk.spot(one.column);
  }
  CHECK(render("f", text, all) == expected);
  CHECK(walk.steps() <= 2 * text.size());
}

TEST_CASE("the nearest word is found when it is a typing mistake away") {
  const std::vector<std::string_view> words{"command", "instances", "env", "cwd"};
  CHECK(nearest("comand", words) == "command");
  CHECK(nearest("commnad", words) == "command");
  CHECK(nearest("instance", words) == "instances");
  CHECK(nearest("evn", words) == "env");
  CHECK(nearest("commandxxx", words).empty());
  CHECK(nearest("xyz", words).empty());
  CHECK(nearest("ab", words).empty());
  CHECK(nearest("", words).empty());
  CHECK(nearest("command", {}).empty());
}

TEST_CASE("the nearest of several wins") {
  CHECK(nearest("pathz", {"patch", "path"}) == "path");
  CHECK(did_you_mean("hots", {"hosts", "paths"}) == ", did you mean \"hosts\"?");
  CHECK(did_you_mean("zzz", {"hosts"}).empty());
}
