#include <doctest/doctest.h>

#include "tests/router/http/feeding.hpp"

using namespace gray::http;

TEST_CASE("Fields are found by name and by id, the first of several") {
  const std::string text = head_of({"GET / HTTP/1.1", "Host: a", "X-A: 1", "x-a: 2", "Via: v", "Via: w"});
  const Fields& fields = good_request(text).fields;
  CHECK(fields.find("X-a")->value == "1");
  CHECK(fields.find(Name::via)->value == "v");
  CHECK(fields.find("X-B") == nullptr);
  CHECK(fields.find(Name::cookie) == nullptr);
}

TEST_CASE("Options of Connection are found in every field of that name") {
  const std::string text = head_of({"GET / HTTP/1.1", "Host: a", "Connection: x, Y", "A: z", "connection:\tClose ,u"});
  const Fields& fields = good_request(text).fields;
  for (const char* option : {"x", "y", "close", "U"}) CHECK(fields.connection_lists(option));
  for (const char* option : {"z", "clos", ""}) CHECK_FALSE(fields.connection_lists(option));
}

TEST_CASE("Fields of an earlier head are not seen again") {
  const std::string first = head_of({"GET / HTTP/1.1", "Host: a", "Cookie: c", "Connection: close"});
  CHECK_FALSE(good_request(first).keep_alive);
  const std::string second = head_of({"GET / HTTP/1.1", "Host: a"});
  const RequestHead& head = good_request(second);
  CHECK(head.keep_alive);
  CHECK(head.fields.find(Name::cookie) == nullptr);
}
