#include "control/grayctl/why/curl_options.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

TEST_CASE("options that mean something, by name and by letter") {
  CHECK(curl_option("header")->means == CurlMeans::header);
  CHECK(curl_option('H')->means == CurlMeans::header);
  CHECK(curl_option('H')->valued);
  CHECK(curl_option('I')->means == CurlMeans::head);
  CHECK_FALSE(curl_option('I')->valued);
  CHECK(curl_option("proxy")->means == CurlMeans::ignored);
}

TEST_CASE("options that mean nothing, with and without a value") {
  for (const char* name :
       {"silent", "http2", "http2-prior-knowledge", "compressed-ssh", "location", "xattr", "anyauth"}) {
    REQUIRE(curl_option(name));
    CHECK_FALSE(curl_option(name)->valued);
    CHECK(curl_option(name)->means == CurlMeans::nothing);
  }
  for (const char* name : {"output", "write-out", "resolve", "max-time", "cacert", "retry", "alt-svc"}) {
    REQUIRE(curl_option(name));
    CHECK(curl_option(name)->valued);
  }
  for (const char letter : {'s', 'S', 'k', 'v', 'L', 'f', 'N', '4', '#', ':'}) CHECK_FALSE(curl_option(letter)->valued);
  for (const char letter : {'o', 'w', 'm', 'c', 'D', 'E'}) CHECK(curl_option(letter)->valued);
}

TEST_CASE("the opposite of an option without a value is known, that of one with a value is not") {
  for (const char* name : {"no-silent", "no-compressed", "keepalive", "buffer", "alpn"}) {
    REQUIRE(curl_option(name));
    CHECK_FALSE(curl_option(name)->valued);
    CHECK(curl_option(name)->means == CurlMeans::nothing);
  }
  CHECK_FALSE(curl_option("no-output"));
}

TEST_CASE("anything else is not known") {
  for (const char* name : {"", "x", "s", "ilent", "moon", "silent ", "=silent", "s=silent", "a b"})
    CHECK_FALSE(curl_option(name));
  for (const char letter : {'\0', ' ', '=', '~', '9'}) CHECK_FALSE(curl_option(letter));
}

}  // namespace
}  // namespace gray::control
