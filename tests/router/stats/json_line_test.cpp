#include "router/stats/json_line.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/base/printable.hpp"

namespace gray::stats {
namespace {

/// One text member as written, in a buffer of exactly the promised size.
std::string written(std::string_view value, std::size_t limit = 100) {
  std::vector<char> buffer(JsonLine::max_text(limit) + JsonLine::kMaxFrame);
  JsonLine line(buffer.data());
  line.text("x", value, limit);
  return std::string(buffer.data(), line.finish());
}

std::string read_back(std::string_view value, std::size_t limit = 100) {
  return nlohmann::json::parse(written(value, limit)).at("x").get<std::string>();
}

TEST_CASE("members of every kind make one object on one line") {
  std::vector<char> buffer(1000);
  LineClock clock;
  JsonLine line(buffer.data());
  line.timestamp("when", WallTime{}, clock);
  line.text("a", "b", 10);
  line.plain("p", "as it is", 5);
  line.number("n", ~std::uint64_t{0});
  line.boolean("t", true);
  line.boolean("f", false);
  line.null("z");
  line.hex("h", 0xabc);
  CHECK(std::string(buffer.data(), line.finish()) ==
        "{\"when\":\"1970-01-01T00:00:00.000000Z\",\"a\":\"b\",\"p\":\"as it\","
        "\"n\":18446744073709551615,\"t\":true,\"f\":false,"
        "\"z\":null,\"h\":\"0000000000000abc\"}\n");
}

TEST_CASE("quotes, backslashes and control bytes are escaped") {
  CHECK(written("a\"b\\c") == "{\"x\":\"a\\\"b\\\\c\"}\n");
  CHECK(written("\n\x1b\x7f") == "{\"x\":\"\\u000a\\u001b\\u007f\"}\n");
  CHECK(written(std::string_view("\0", 1)) == "{\"x\":\"\\u0000\"}\n");
  CHECK(written("</script>") == "{\"x\":\"</script>\"}\n");
}

TEST_CASE("valid UTF-8 passes unchanged") {
  for (const char* text :
       {"gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x9a\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK(written(text) == std::string("{\"x\":\"") + text + "\"}\n");
    CHECK(read_back(text) == text);
  }
}

TEST_CASE("a byte that is not valid UTF-8 becomes the Latin-1 character of its number") {
  CHECK(written("\xff") == "{\"x\":\"\\u00ff\"}\n");
  CHECK(written("\xc0\xaf") == "{\"x\":\"\\u00c0\\u00af\"}\n");  // overlong
  CHECK(written("\xe0\x80\xaf") == "{\"x\":\"\\u00e0\\u0080\\u00af\"}\n");
  CHECK(written("\xf0\x80\x80\xaf") == "{\"x\":\"\\u00f0\\u0080\\u0080\\u00af\"}\n");
  CHECK(written("\xed\xa0\x80") == "{\"x\":\"\\u00ed\\u00a0\\u0080\"}\n");  // a surrogate
  CHECK(written("\xf4\x90\x80\x80") == "{\"x\":\"\\u00f4\\u0090\\u0080\\u0080\"}\n");
  CHECK(written("\xe2\x82") == "{\"x\":\"\\u00e2\\u0082\"}\n");  // cut short
  CHECK(written("\xe2\x82z") == "{\"x\":\"\\u00e2\\u0082z\"}\n");
}

/// The text that a reader gets for `bytes`: bytes that are not UTF-8 become Latin-1 characters.
std::string expected_of(std::string_view bytes) {
  std::string expected;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const auto first = static_cast<unsigned char>(bytes.front());
    if (length > 0) expected += bytes.substr(0, length);
    if (length == 0) expected += {static_cast<char>(0xc0 | first >> 6), static_cast<char>(0x80 | (first & 0x3f))};
    bytes.remove_prefix(length > 0 ? length : 1);
  }
  return expected;
}

TEST_CASE("every pair of bytes can be read back, and never breaks the line") {
  for (unsigned pair = 0; pair < 0x10000; ++pair) {
    const char bytes[] = {static_cast<char>(pair >> 8), static_cast<char>(pair)};
    const std::string text = written({bytes, 2});
    REQUIRE(text.find('\n') == text.size() - 1);
    REQUIRE(nlohmann::json::parse(text).at("x") == expected_of({bytes, 2}));
  }
}

TEST_CASE("every byte at every position of texts of every size is written as byte by byte") {
  for (const std::size_t size : {1, 3, 4, 5, 7, 8, 11, 15, 16, 17, 31, 32, 33}) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (std::size_t position = 0; position < size; ++position) {
        std::string text(size, 'a');
        text[position] = static_cast<char>(byte);
        const std::string alone = written(text.substr(position, 1));
        REQUIRE(written(text) == "{\"x\":\"" + std::string(position, 'a') + alone.substr(6, alone.size() - 9) +
                                     std::string(size - position - 1, 'a') + "\"}\n");
      }
    }
  }
}

TEST_CASE("a text is cut at its limit, and a character that is cut in two is still valid") {
  CHECK(read_back("abcdef", 3) == "abc");
  CHECK(written("ab\xe2\x82\xac", 3) == "{\"x\":\"ab\\u00e2\"}\n");
  CHECK(written(std::string(10'000, '\xff'), 50).size() == 50 * 6 + 9);
}

TEST_CASE("control characters of Unicode are escaped") {
  CHECK(written("\xc2\x9b"
                "31m") == "{\"x\":\"\\u009b31m\"}\n");
  CHECK(written("a\xe2\x80\xae"
                "b") == "{\"x\":\"a\\u202eb\"}\n");
  CHECK(written("\xd8\x9c\x7f") == "{\"x\":\"\\u061c\\u007f\"}\n");
}

}  // namespace
}  // namespace gray::stats
