#include <doctest/doctest.h>

#include "router/wire/end_to_end.hpp"
#include "tests/router/wire/feeding.hpp"

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

TEST_CASE("Hop-by-hop fields are removed, end-to-end fields are forwarded") {
  for (const Name id : {Name::connection, Name::keep_alive, Name::proxy_connection, Name::te, Name::trailer,
                        Name::transfer_encoding, Name::content_length, Name::upgrade}) {
    CHECK(kHopByHop.holds(id));
  }
  for (const Name id : {Name::other, Name::cookie, Name::proxy_authorization, Name::proxy_authenticate, Name::via,
                        Name::authorization, Name::traceparent, Name::x_gray, Name::shadow}) {
    CHECK_FALSE(kHopByHop.holds(id));
  }
}

namespace {

std::string end_to_end(const std::string& head, NameSet dropped) {
  std::string out(head.size() + 100, '?');
  return out.substr(0, write_end_to_end(HeadWriter(out.data()), good_request(head).fields, dropped).size());
}

}  // namespace

TEST_CASE("Forwarded fields are written in one form, whatever their received form") {
  const std::string head = head_of({"GET / HTTP/1.1", "A: 1", "Host: a", "B:2", "C: \t3", "D: 4 ", "E:\t5",
                                    "Connection: G, close", "F:", "G: 6", "H: ", "i: 7  8", "J:  "});
  CHECK(end_to_end(head, kHopByHop | NameSet{Name::host}) ==
        "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nH: \r\ni: 7  8\r\nJ: \r\n");
  CHECK(end_to_end(head, kHopByHop) ==
        "A: 1\r\nHost: a\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nH: \r\ni: 7  8\r\nJ: \r\n");
}

TEST_CASE("Nothing is written without fields") {
  CHECK(end_to_end(head_of({"GET / HTTP/1.1", "Host: a"}), {Name::host}).empty());
}
