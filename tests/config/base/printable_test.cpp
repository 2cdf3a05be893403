#include "config/base/printable.hpp"

#include <doctest/doctest.h>

using namespace gray;

namespace {

std::string printable(std::string text, Tabs tabs = Tabs::replaced) {
  make_printable(text, '?', tabs);
  return text;
}

}  // namespace

TEST_CASE("text without control characters stays as it is") {
  for (const char* text : {"", "plain text", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
                           "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xe2\x80\x8d zero width joiner"})
    CHECK(printable(text) == text);
}

TEST_CASE("control characters of C0 and C1, and DEL, are replaced byte by byte") {
  CHECK(printable("a\x1b[2Jb\r\n\x7f") == "a?[2Jb???");
  CHECK(printable("\xc2\x9b"
                  "31m \xc2\x80 \xc2\xa0") == "??31m ?? \xc2\xa0");
  CHECK(printable("a\tb") == "a?b");
  CHECK(printable("a\tb", Tabs::kept) == "a\tb");
}

TEST_CASE("bidirectional controls and separators are replaced") {
  for (const char* text : {"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa",
                           "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6",
                           "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9"}) {
    CAPTURE(text);
    CHECK(printable(text) == std::string(std::string_view(text).size(), '?'));
  }
}

TEST_CASE("bytes that are not UTF-8 are replaced, and the characters around them stay") {
  CHECK(printable("a\x9b"
                  "b") == "a?b");                        // CSI of Latin-1
  CHECK(printable("\xc3") == "?");                       // cut
  CHECK(printable("\xe2\x82") == "??");                  // cut
  CHECK(printable("\xc0\xaf\xc3\xa4") == "??\xc3\xa4");  // overlong
  CHECK(printable("\xed\xa0\x80") == "???");             // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "????");        // beyond U+10FFFF
}

TEST_CASE("every code point is recognised, and only the named ones are control characters") {
  int controls = 0;
  for (char32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    std::string text;
    if (code < 0x80) {
      text = {static_cast<char>(code)};
    } else if (code < 0x800) {
      text = {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
    } else if (code < 0x10000) {
      text = {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)),
              static_cast<char>(0x80 | (code & 0x3f))};
    } else {
      text = {static_cast<char>(0xf0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3f)),
              static_cast<char>(0x80 | (code >> 6 & 0x3f)), static_cast<char>(0x80 | (code & 0x3f))};
    }
    if (utf8_length(text) != text.size() || code_point(text) != code) FAIL_CHECK("U+" << static_cast<unsigned>(code));
    controls += is_control(code);
  }
  CHECK(controls == 32 + 33 + 3 + 7 + 4);
}
