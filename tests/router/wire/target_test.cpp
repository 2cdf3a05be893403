#include <doctest/doctest.h>

#include "router/wire/target.hpp"

using namespace gray::http;

TEST_CASE("An authority is a host with an optional port (P6)") {
  for (const char* good : {"a", "example.com", "a:0", "a:", "[::1]:", "a:65535", "127.0.0.1:80", "[::1]", "[::]",
                           "[2001:db8::1]:443", "[::ffff:1.2.3.4]", "a_b~c", "x%20y", "EXAMPLE.com"}) {
    CAPTURE(good);
    CHECK(is_valid_authority(good));
  }
  for (const char* bad : {"",     ":80",    "a:65536", "a:123456", "a:-1", "a:8x",        "a:80:80", "u@a", "u:p@a",
                          "a/b",  "a?b",    "a b",     "a,b",      "a\\b", "a\"",         "<a>",     "[]",  "[:]",
                          "[::1", "[::1]x", "[g::1]",  "::1",      "a[",   "caf\xc3\xa9", "a\t"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_valid_authority(bad));
  }
}

TEST_CASE("A target names a path, or all of the server for OPTIONS (P7)") {
  CHECK(read_target(Method::get, "/").problem == nullptr);
  CHECK(read_target(Method::get, "//a/b").path_query == "//a/b");
  CHECK(read_target(Method::options, "*").problem == nullptr);
  CHECK(read_target(Method::get, "*").problem != nullptr);
  CHECK(read_target(Method::options, "**").problem != nullptr);
  CHECK(read_target(Method::get, "?a").problem != nullptr);
  CHECK(read_target(Method::get, "http:/a").problem != nullptr);
}

TEST_CASE("An absolute target is taken apart into authority and path (P7)") {
  const Target target = read_target(Method::get, "hTTp://a:1/b?c=http://d/");
  CHECK(target.problem == nullptr);
  CHECK(target.authority == "a:1");
  CHECK(target.path_query == "/b?c=http://d/");
  CHECK(read_target(Method::get, "http://a").path_query == "/");
  CHECK(read_target(Method::options, "http://a").path_query == "*");
  CHECK(read_target(Method::options, "http://a/").path_query == "/");
  CHECK(read_target(Method::get, "http://a?b").problem == nullptr);
  CHECK(read_target(Method::get, "http://a?b").path_query == "?b");
  CHECK(read_target(Method::get, "http://").problem != nullptr);
  CHECK(read_target(Method::get, "http://u:p@a/").problem != nullptr);
}
