#include <doctest/doctest.h>

#include "router/http/characters.hpp"
#include "router/wire/forwarding.hpp"
#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

std::string forward_response(const std::string& text, const ResponseExtras& extras = {}, const Hop& hop = {},
                             Method to = Method::get) {
  const ResponseHead& head = good_response(text, to);
  std::string out(response_bound(head, extras), '\0');
  const std::size_t size = write_response(head, extras, hop, out.data());
  REQUIRE(size <= out.size());
  out.resize(size);
  return out;
}

std::string ok(std::initializer_list<std::string_view> fields) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text + "\r\n";
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\r\n" + line + "\r\n") != std::string::npos;
}

constexpr Hop kOld{.client = Version::http10};

}  // namespace

TEST_CASE("A response gets the router's own fields and loses fields sent in their name (P2)") {
  const ResponseExtras extras{"id-1", "v2", "bucket"};
  CHECK(forward_response(ok({"A: b", "X-Request-Id: u", "X-Gray-Version: u", "x-gray-decision: u", "X-Gray-Any: u",
                             "Content-Length: 5", "Via: 1.0 fred"}),
                         extras) ==
        "HTTP/1.1 200 OK\r\nA: b\r\nVia: 1.0 fred\r\nVia: 1.1 grayd\r\nX-Request-Id: id-1\r\nX-Gray-Version: v2\r\n"
        "X-Gray-Decision: bucket\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("An answer without Date gets one, a worker's own is kept") {
  const Hop hop{.date = "Sun, 06 Nov 1994 08:49:37 GMT"};
  CHECK(has_line(forward_response(ok({"Content-Length: 0"}), {}, hop), "Date: Sun, 06 Nov 1994 08:49:37 GMT"));
  const std::string own = forward_response(ok({"Date: Thu, 01 Jan 1970 00:00:00 GMT", "Content-Length: 0"}), {}, hop);
  CHECK(has_line(own, "Date: Thu, 01 Jan 1970 00:00:00 GMT"));
  CHECK(own.find("1994") == std::string::npos);
}

TEST_CASE("An identity cookie is set beside the worker's own, whatever the length of its name") {
  SetCookie cookie{"gid", "0123456789abcdef0123456789abcdef"};
  const ResponseExtras extras{.cookies = {&cookie, 1}};
  const std::string out =
      forward_response(ok({"Set-Cookie: a=b", "Cache-Control: public", "Content-Length: 0"}), extras);
  CHECK(has_line(out, "Set-Cookie: a=b"));
  CHECK(has_line(out, "Cache-Control: public"));
  CHECK(has_line(out,
                 "Set-Cookie: gid=0123456789abcdef0123456789abcdef; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"));
  const std::string name(5'000, 'n');
  cookie.name = name;
  CHECK(has_line(
      forward_response(ok({"Transfer-Encoding: chunked"}), extras, {.close = true}),
      "Set-Cookie: " + name + "=0123456789abcdef0123456789abcdef; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"));
}

TEST_CASE("Each cookie has the attributes that it was given, and the bound of the head covers all of them") {
  using Life = SetCookie::Life;
  const SetCookie cookies[] = {
      {"version", "v2", Life::session, false},
      {"version", "", Life::expired, false, true, true, "None"},
      {"gid", "1", Life::year, true, true, true, "Strict"},
      {"gid", "1", Life::year, true, true, true, "Strict"},
  };
  const std::string out = forward_response(ok({"Content-Length: 0"}), {.cookies = cookies});
  CHECK(has_line(out, "Set-Cookie: version=v2; Path=/; SameSite=Lax"));
  CHECK(has_line(out, "Set-Cookie: version=; Path=/; Max-Age=0; SameSite=None; Secure; Partitioned"));
  CHECK(has_line(out, "Set-Cookie: gid=1; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly; Secure; Partitioned"));
}

TEST_CASE("A 426 keeps the protocols that it demands; any other answer loses Upgrade (P1)") {
  const std::string out = forward_response(
      "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade, X-Hop\r\nUpgrade: chat/1\r\nX-Hop: 1\r\n"
      "Upgrade: chat/2\r\nContent-Length: 0\r\n\r\n");
  CHECK(has_line(out, "Connection: Upgrade"));
  CHECK(has_line(out, "Upgrade: chat/1"));
  CHECK(has_line(out, "Upgrade: chat/2"));
  CHECK(out.find("X-Hop") == std::string::npos);
  CHECK(forward_response("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n").find("Upgrade:") ==
        std::string::npos);
  CHECK(forward_response(ok({"Connection: Upgrade", "Upgrade: h2c", "Content-Length: 0"})).find("Upgrade") ==
        std::string::npos);
  std::string most = "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n";
  for (std::uint32_t i = 0; i < kMaxListMembers; ++i) most += "Upgrade:a\r\n";  // the bound of the head must hold
  CHECK(has_line(forward_response(most + "\r\n", {}, {.close = true}), "Connection: close"));
}

TEST_CASE("Our own version is sent, whatever the upstream's (P4)") {
  const std::string out = forward_response("HTTP/1.0 404 Nope\r\nContent-Length: 0\r\n\r\n", {}, kOld);
  CHECK(out.starts_with("HTTP/1.1 404 Nope\r\n"));
  CHECK(has_line(out, "Via: 1.0 grayd"));
  CHECK(forward_response("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").starts_with("HTTP/1.1 200 \r\n"));
}

TEST_CASE("Fields about the worker's hop do not go on (P1)") {
  const std::string out = forward_response(
      ok({"Connection: close, X-Hop, Set-Cookie2, content-length", "Keep-Alive: 5", "X-Hop: 1", "Trailer: X",
          "Upgrade: h2c", "Content-Length: 1", "Proxy-Authenticate: p", "Set-Cookie: a", "Set-Cookie: b"}));
  const Fields& fields = good_response(out).fields;
  for (const char* name : {"Connection", "Keep-Alive", "X-Hop", "Trailer", "Upgrade"}) {
    CAPTURE(name);
    CHECK(fields.find(name) == nullptr);
  }
  CHECK(has_line(out, "Set-Cookie: a\r\nSet-Cookie: b"));
  CHECK(has_line(out, "Proxy-Authenticate: p"));
  CHECK(has_line(out, "Content-Length: 1"));
}

TEST_CASE("A body without length is chunked for HTTP/1.1 and ends with the connection for HTTP/1.0 (P18)") {
  for (const std::string& text : {ok({}), ok({"Transfer-Encoding: chunked"})}) {
    CHECK(has_line(forward_response(text), "Transfer-Encoding: chunked"));
    const std::string out = forward_response(text, {}, kOld);
    CHECK_FALSE(has_line(out, "Transfer-Encoding: chunked"));
    CHECK(has_line(out, "Connection: close"));
  }
  CHECK(downstream_framing({Body::Kind::sized, 3}, Version::http10) == Framing{Framing::Kind::length, 3});
  CHECK(downstream_framing({}, Version::http10) == Framing{});
  CHECK(downstream_framing({Body::Kind::open, 0}, Version::http11).kind == Framing::Kind::chunked);
  CHECK(downstream_framing({Body::Kind::open, 0}, Version::http10).kind == Framing::Kind::until_close);
}

TEST_CASE("The length of a HEAD or 304 response is what it came with (P19)") {
  CHECK(has_line(forward_response(ok({"Content-Length: 42"}), {}, {}, Method::head), "Content-Length: 42"));
  CHECK(has_line(forward_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 42\r\n\r\n"), "Content-Length: 42"));
  const std::string none = forward_response(ok({"Transfer-Encoding: chunked"}), {}, {}, Method::head);
  CHECK_FALSE(has_line(none, "Transfer-Encoding: chunked"));
  CHECK(none.find("Content-Length") == std::string::npos);
}

TEST_CASE("An interim response and a 204 have no framing fields (P22)") {
  for (const char* line : {"HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints", "HTTP/1.1 204 No Content"}) {
    const std::string out = forward_response(head_of({line, "Content-Length: 4", "Link: </a>"}));
    CHECK(out.find("Content-Length") == std::string::npos);
    CHECK(out.find("Transfer-Encoding") == std::string::npos);
    CHECK(has_line(out, "Link: </a>"));
  }
}

TEST_CASE("Connection says whether the client's connection stays open") {
  Hop hop;
  CHECK(forward_response(ok({"Content-Length: 1"}), {}, hop).find("Connection") == std::string::npos);
  hop.keep_alive_10 = true;
  CHECK(has_line(forward_response(ok({"Content-Length: 1"}), {}, hop), "Connection: keep-alive"));
  hop.close = true;
  const std::string out = forward_response(ok({"Content-Length: 1"}), {}, hop);
  CHECK(has_line(out, "Connection: close"));
  CHECK_FALSE(has_line(out, "Connection: keep-alive"));
}

TEST_CASE("What is written parses back to the same response") {
  for (const std::string& text : {ok({"Content-Length: 5"}), ok({"Transfer-Encoding: chunked"}), ok({"a:b", "c:"}),
                                  std::string("HTTP/1.0 599\r\nContent-Length:1\r\n\r\n")}) {
    const std::string out = forward_response(text);
    const int status = good_response(text).status;
    const Framing framing = downstream_framing(good_response(text).body, Version::http11);
    CHECK(good_response(out).bytes.size() == out.size());
    CHECK(good_response(out).status == status);
    CHECK(good_response(out).framing == framing);
  }
}
