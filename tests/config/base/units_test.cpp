#include "config/base/units.hpp"

#include <doctest/doctest.h>

using namespace gray;

TEST_CASE("durations are read with their unit") {
  CHECK(parse_duration("250ms") == Duration{250});
  CHECK(parse_duration("1s") == Duration{1'000});
  CHECK(parse_duration("1.5s") == Duration{1'500});
  CHECK(parse_duration("0.001s") == Duration{1});
  CHECK(parse_duration("2m") == Duration{120'000});
  CHECK(parse_duration("0.5h") == Duration{1'800'000});
  CHECK(parse_duration("0") == Duration{0});
  CHECK(parse_duration("8760h") == Duration{31'536'000'000});
}

TEST_CASE("a duration without unit, with a sign, finer than a millisecond or above a year is refused") {
  for (const char* text : {"", "10", "s", "-1s", "+1s", " 1s", "1 s", "1S", "1d", "1.s", ".5s", "0.0001s", "1.5ms",
                           "8761h", "99999999999999999999s", "1.0000000000s", "1e3s"})
    CHECK_MESSAGE(!parse_duration(text), text);
}

TEST_CASE("sizes are read with their unit") {
  CHECK(parse_size("0") == 0u);
  CHECK(parse_size("1B") == 1u);
  CHECK(parse_size("64KiB") == 65'536u);
  CHECK(parse_size("512MiB") == 512ull << 20);
  CHECK(parse_size("1048576GiB") == 1ull << 50);
}

TEST_CASE("a size without unit, with a sign, a fraction or above 2^50 is refused") {
  for (const char* text :
       {"", "10", "KiB", "-1B", "1.5KiB", "1KB", "1kib", "1 KiB", "1048577GiB", "99999999999999999999B"})
    CHECK_MESSAGE(!parse_size(text), text);
}

TEST_CASE("formatted text reads back as the same value") {
  for (const std::int64_t count :
       {0l, 1l, 250l, 999l, 1'000l, 1'500l, 1'001l, 60'000l, 90'000l, 3'600'000l, 31'536'000'000l})
    CHECK(parse_duration(format_duration(Duration{count})) == Duration{count});
  for (const std::uint64_t bytes : {0ull, 1ull, 1'000ull, 1'024ull, 1ull << 30, 1'025ull, 1ull << 50})
    CHECK(parse_size(format_size(bytes)) == bytes);
}

TEST_CASE("the formatted text is in the form that people write") {
  CHECK(format_duration(Duration{250}) == "250ms");
  CHECK(format_duration(Duration{1'500}) == "1.5s");
  CHECK(format_duration(Duration{90'000}) == "90s");
  CHECK(format_duration(Duration{300'000}) == "5m");
  CHECK(format_size(64 * 1024) == "64KiB");
  CHECK(format_size(1'000) == "1000B");
}

TEST_CASE("a percentage below 1 is questioned with the number of users that it means") {
  CHECK(gray::fraction_question(0.2) == "0.2 % is 1 user in 500; did you mean 20?");
  CHECK(gray::fraction_question(0.05) == "0.05 % is 1 user in 2000; did you mean 5?");
  CHECK(gray::fraction_question(0.999) == "0.999 % is 1 user in 100; did you mean 99.9?");
  for (const double percent : {0.0, 1.0, 5.0, 100.0, -1.0}) CHECK(gray::fraction_question(percent).empty());
}

TEST_CASE("a percentage is a plain number from 0 to 100, with or without a percent sign") {
  for (auto [text, value] : {std::pair{"0", 0.0}, {"100", 100.0}, {"12.5", 12.5}, {"5%", 5.0}, {"0.01%", 0.01}})
    CHECK(gray::parse_percent(text) == value);
  for (const char* text : {"", "%", "-1", "100.1", "1e1", "0x5", "5%%", " 5", "5 ", "+5", "nan", "inf", "five", "1,5"})
    CHECK_FALSE(gray::parse_percent(text).has_value());
}
