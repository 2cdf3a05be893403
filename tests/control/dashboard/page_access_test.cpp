#include "control/dashboard/page_access.hpp"

#include <doctest/doctest.h>

using namespace gray::control;

TEST_CASE("a host is own if no foreign site can have its name") {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9101", "10.0.0.5:80", "[::1]:9101", "[fe80::1]", "localhost", "LocalHost:9101"}) {
    CAPTURE(host);
    CHECK(is_own_host(host));
  }
  for (const char* host :
       {"", "example.com", "example.com:9101", "127.0.0.1.example.com", "localhost.example.com", "localhost:", ":9101",
        "127.0.0.1:x", "127.0.0.1:123456", "[::1", "::1", "[127.0.0.1]", "[::1]x", "127.0.0.1:80:80", "localhost,a"}) {
    CAPTURE(host);
    CHECK_FALSE(is_own_host(host));
  }
}

TEST_CASE("a request of the page has its origin, or none") {
  CHECK(is_same_origin("", "", "127.0.0.1:9101"));
  CHECK(is_same_origin("http://127.0.0.1:9101", "same-origin", "127.0.0.1:9101"));
  CHECK(is_same_origin("https://LOCALHOST:9101", "", "localhost:9101"));
  CHECK(is_same_origin("", "none", "localhost"));
  for (const char* origin : {"http://example.com", "null", "http://127.0.0.1:9102", "http://127.0.0.1:91011",
                             "127.0.0.1:9101", "ftp://127.0.0.1:9101", "http://127.0.0.1:9101/"}) {
    CAPTURE(origin);
    CHECK_FALSE(is_same_origin(origin, "", "127.0.0.1:9101"));
  }
  for (const char* site : {"cross-site", "same-site"}) CHECK_FALSE(is_same_origin("", site, "127.0.0.1:9101"));
}

TEST_CASE("the page has eight verbs that change something") {
  int allowed = 0;
  for (const VerbRow& row : verb_table()) {
    allowed += is_for_page(row.verb);
    if (is_for_page(row.verb)) CHECK(row.changes);
  }
  CHECK(allowed == 8);
  for (const Verb verb : {Verb::deploy, Verb::upgrade, Verb::reload, Verb::stop, Verb::rollout_start})
    CHECK_FALSE(is_for_page(verb));
}
