#include "router/http/date.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray;

namespace {

std::string date_of(long seconds) {
  std::string text(http::kDateText, '?');
  http::write_date(std::chrono::sys_seconds{std::chrono::seconds{seconds}}, text.data());
  return text;
}

}  // namespace

TEST_CASE("a date is written as in the examples of RFC 9110") {
  CHECK(date_of(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date_of(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(date_of(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(date_of(-1) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(date_of(253402300800) == "Fri, 31 Dec 9999 23:59:59 GMT");
}
