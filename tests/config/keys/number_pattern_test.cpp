#include "config/keys/number_pattern.hpp"

#include <doctest/doctest.h>

#include <regex>

#include "config/base/units.hpp"

using namespace gray;

namespace {

bool matches(const std::string& pattern, const std::string& text) {
  return std::regex_match(text, std::regex(pattern, std::regex::ECMAScript));
}

}  // namespace

TEST_CASE("a pattern of whole numbers takes exactly the range") {
  const std::pair<std::uint64_t, std::uint64_t> ranges[] = {{0, 0},   {0, 9},    {1, 10},    {3, 255},
                                                            {5, 999}, {17, 203}, {100, 999}, {99, 1'001}};
  for (const auto& [least, most] : ranges) {
    const std::string pattern = whole_pattern(least, most);
    for (std::uint64_t number = 0; number <= 1'100; ++number) {
      const bool inside = least <= number && number <= most;
      CHECK_MESSAGE(matches(pattern, std::to_string(number)) == inside, pattern, " and ", number);
    }
    CHECK(matches(pattern, "00" + std::to_string(most)));
    CHECK_FALSE(matches(pattern, "-" + std::to_string(most)));
  }
}

TEST_CASE("a pattern of sizes says the same as the parser") {
  const std::string pattern = size_pattern(1'024, 1ull << 20);
  for (const char* unit : {"B", "KiB", "MiB", "GiB", "KB", ""}) {
    for (const std::uint64_t number : {0ull, 1ull, 2ull, 1'023ull, 1'024ull, 1'025ull, 1'048'576ull, 1'048'577ull}) {
      const std::string text = std::to_string(number) + unit;
      const auto size = parse_size(text);
      CHECK_MESSAGE(matches(pattern, text) == (size && *size >= 1'024 && *size <= 1ull << 20), text);
    }
  }
  CHECK(matches(size_pattern(0, 10), "0"));
  CHECK_FALSE(matches(pattern, "1.5KiB"));
}

TEST_CASE("a pattern of durations refuses none that the parser accepts, and the wrong units") {
  const std::string pattern = duration_pattern(1, 3'600'000);
  for (const char* text : {"1ms", "250ms", "1.5s", "60m", "1h", "0.5h", "3600000ms", "1.000s", "0.25m"})
    CHECK_MESSAGE(matches(pattern, text), text);
  for (const char* text : {"0", "0s", "5", "2h", "61m", "1 s", "1d", "-1s", "1.5ms", "1.2345s", ".5s", "1,5s", "1S"})
    CHECK_MESSAGE(!matches(pattern, text), text);
  CHECK(matches(duration_pattern(0, 1'000), "0"));
  CHECK(matches(duration_pattern(1, ~0ull), "8760h"));
  CHECK_FALSE(matches(duration_pattern(1, ~0ull), "8761h"));
}
