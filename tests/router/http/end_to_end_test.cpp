#include <doctest/doctest.h>

#include "router/http/end_to_end.hpp"
#include "tests/router/http/feeding.hpp"

using namespace gray::http;

TEST_CASE("Connection can name only fields that the router does not know (P1)") {
  const std::string text = head_of({"GET / HTTP/1.1", "Host: a",
                                    "Connection: close, keep-alive, Content-Length, host, Authorization, cookie",
                                    "Connection: X-Forwarded-For, via, X-Hop , upgrade"});
  const Nominated nominated(good_request(text).fields);
  CHECK(nominated.holds("x-hop"));
  for (const char* kept : {"close", "keep-alive", "Content-Length", "Host", "Authorization", "Cookie",
                           "X-Forwarded-For", "Via", "X-Other"}) {
    CHECK_FALSE(nominated.holds(kept));
  }
}

TEST_CASE("Fields about one hop stay on it, fields about the message go on") {
  for (const Name id : {Name::connection, Name::keep_alive, Name::proxy_connection, Name::te, Name::trailer,
                        Name::transfer_encoding, Name::content_length, Name::upgrade}) {
    CHECK(is_hop_by_hop(id));
  }
  for (const Name id : {Name::other, Name::cookie, Name::proxy_authorization, Name::proxy_authenticate, Name::via,
                        Name::authorization, Name::traceparent}) {
    CHECK_FALSE(is_hop_by_hop(id));
  }
}
