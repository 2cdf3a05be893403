#include "router/wire/trailers.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gray::http;

namespace {

std::string forwarded_trailers(std::string_view section) {
  std::string out(trailers_bound(section.size()), '?');
  const std::size_t size = write_trailers(section, out.data());
  REQUIRE(size <= out.size());
  return out.substr(0, size);
}

}  // namespace

TEST_CASE("An application's trailers are forwarded as they came (P21)") {
  CHECK(forwarded_trailers("Grpc-Status: 0\r\nX-Checksum:abc \r\nServer-Timing: a;dur=1\r\nETag: \"x\"\r\n\r\n") ==
        "Grpc-Status: 0\r\nX-Checksum: abc\r\nServer-Timing: a;dur=1\r\nETag: \"x\"\r\n");
  CHECK(forwarded_trailers("\r\n").empty());
  CHECK(forwarded_trailers("").empty());
}

TEST_CASE("A trailer never becomes a field (P21)") {
  for (const char* name : {"Content-Length",
                           "Transfer-Encoding",
                           "Host",
                           "Authorization",
                           "Content-Type",
                           "Content-Encoding",
                           "Content-Range",
                           "Connection",
                           "Keep-Alive",
                           "TE",
                           "Trailer",
                           "Upgrade",
                           "Expect",
                           "Cookie",
                           "Set-Cookie",
                           "set-cookie2",
                           "Via",
                           "Date",
                           "Server",
                           "Retry-After",
                           "Max-Forwards",
                           "Proxy-Authorization",
                           "Proxy-Anything",
                           "X-Forwarded-For",
                           "X-Forwarded-Port",
                           "X_Forwarded_Port",
                           "Forwarded",
                           "X-Request-Id",
                           "X-Gray-Version",
                           "X-Gray-Anything",
                           "X_Gray_Version",
                           "Content_Length",
                           "Transfer_Encoding",
                           "Cache-Control",
                           "Expires",
                           "Vary",
                           "Location",
                           "WWW-Authenticate",
                           "Access-Control-Allow-Origin",
                           "traceparent",
                           "tracestate",
                           "Strict-Transport-Security"}) {
    CAPTURE(name);
    CHECK_FALSE(is_harmless_trailer(name));
    CHECK(forwarded_trailers("A: 1\r\n" + std::string(name) + ": x\r\nB: 2\r\n\r\n") == "A: 1\r\nB: 2\r\n");
  }
}

TEST_CASE("What is written holds within the bound for the shortest lines") {
  std::string section;
  for (int i = 0; i < 1000; ++i) section += "a:\r\n";
  CHECK(forwarded_trailers(section + "\r\n").size() == 5000);
}
