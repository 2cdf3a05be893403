#include "router/proxy/date_clock.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray;

TEST_CASE("the date is that of the wall clock, and is read again after a tenth of a second") {
  proxy::DateClock clock;
  const auto now = [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); };
  const auto text_of = [](std::chrono::sys_seconds second) {
    std::string text(http::kDateText, '?');
    http::write_date(second, text.data());
    return text;
  };
  const TimePoint start{Duration{1'000}};
  const auto before = now();
  const std::string first(clock.text(start));
  const auto after = now();
  CHECK((first == text_of(before) || first == text_of(after)));
  while (now() == after) {
  }
  CHECK(clock.text(start + Duration{99}) == first);
  CHECK(clock.text(start + Duration{100}) != first);
}
