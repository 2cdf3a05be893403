#include <doctest/doctest.h>

#include <vector>

#include "router/wire/forwarding.hpp"
#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

const RequestExtras kExtras{"10.0.0.9", false, "id-1", "http", true};

RequestExtras trusted() {
  RequestExtras extras = kExtras;
  extras.trusted = true;
  return extras;
}

std::string forward(const std::string& text, const RequestExtras& extras = kExtras) {
  const RequestHead& head = good_request(text);
  std::string out(request_bound(head, extras), '\0');
  const std::size_t size = write_request(head, extras, out.data());
  REQUIRE(size <= out.size());
  out.resize(size);
  return out;
}

std::string get_with(std::initializer_list<std::string_view> fields) {
  std::string text = "GET /a?b HTTP/1.1\r\nHost: h:81\r\n";
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text + "\r\n";
}

bool has(const std::string& text, const std::string& line) {
  return text.find("\r\n" + line + "\r\n") != std::string::npos;
}
bool has_name(const std::string& text, std::string_view name) {
  return good_request(text).fields.find(name) != nullptr;
}

}  // namespace

TEST_CASE("A plain request gets the fields that the router vouches for and nothing else (P2)") {
  CHECK(forward(get_with({"Accept: */*", "X-B:  c "})) ==
        "GET /a?b HTTP/1.1\r\nHost: h:81\r\nAccept: */*\r\nX-B: c\r\nX-Forwarded-For: 10.0.0.9\r\n"
        "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h:81\r\nX-Request-Id: id-1\r\nVia: 1.1 grayd\r\n\r\n");
}

TEST_CASE("Host comes first and from the target if that names one (P7)") {
  const std::string out = forward("GET http://b:9/x HTTP/1.1\r\nAccept: */*\r\nHost: a\r\n\r\n");
  CHECK(out.starts_with("GET /x HTTP/1.1\r\nHost: b:9\r\nAccept: */*\r\n"));
  CHECK(has(out, "X-Forwarded-Host: b:9"));
  CHECK(has(forward("GET / HTTP/1.1\r\nHost: a:\r\n\r\n"), "Host: a"));
  CHECK(forward("GET http://b?c HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET /?c HTTP/1.1\r\nHost: b\r\n"));
  CHECK(forward("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("OPTIONS * HTTP/1.1\r\nHost: b\r\n"));
}

TEST_CASE("An HTTP/1.0 request goes on as HTTP/1.1 with a Host (P4)") {
  const std::string out = forward("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n");
  CHECK(out.starts_with("GET / HTTP/1.1\r\nHost: localhost\r\n"));
  CHECK(has(out, "Via: 1.0 grayd"));
  CHECK_FALSE(has_name(out, "X-Forwarded-Host"));
  CHECK_FALSE(has_name(out, "Expect"));
}

TEST_CASE("Fields about the client's hop do not go on (P1)") {
  const std::string out =
      forward(get_with({"Connection: close, X-Hop, cookie, content-length, x-forwarded-for", "Keep-Alive: 5",
                        "Proxy-Connection: keep-alive", "TE: gzip", "Trailer: X", "Upgrade: h2c", "x-hop: 1",
                        "Cookie: c=d", "Content-Length: 3", "Proxy-Authorization: p", "Authorization: q"}));
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade", "X-Hop"}) {
    CAPTURE(name);
    CHECK_FALSE(has_name(out, name));
  }
  CHECK(has(out, "Cookie: c=d"));
  CHECK(has(out, "Content-Length: 3"));
  CHECK(has(out, "Proxy-Authorization: p"));
  CHECK(has(out, "Authorization: q"));
  CHECK(has(out, "X-Forwarded-For: 10.0.0.9"));
}

TEST_CASE("Fields about the client count only from a trusted proxy (P31)") {
  const std::string out = forward(
      get_with({"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Request-Id: mine",
                "Forwarded: for=6.6.6.6", "X-Gray-Version: v2", "X-Gray-Other: 1", "X_Forwarded_For: 6.6.6.6",
                "Via: 1.0 fred", "X-Forwarded-Port: 6666", "x-forwarded-anything: evil", "X-Forwarded: pass"}));
  CHECK(out.find("6.6.6.6") == std::string::npos);
  CHECK(out.find("evil") == std::string::npos);
  CHECK_FALSE(has_name(out, "X-Forwarded-Port"));
  CHECK(has(out, "X-Forwarded: pass"));
  CHECK(out.find("X-Gray") == std::string::npos);
  CHECK(has(out, "X-Forwarded-For: 10.0.0.9"));
  CHECK(has(out, "X-Forwarded-Proto: http"));
  CHECK(has(out, "X-Request-Id: id-1"));
  CHECK(has(out, "Via: 1.0 fred"));
  CHECK(has(out, "Via: 1.1 grayd"));
}

TEST_CASE("Without Via, not even that of the client is sent") {
  RequestExtras extras = kExtras;
  extras.via = false;
  const std::string out = forward(get_with({"Via: 1.0 fred", "A: b", "via: 1.1 joe"}), extras);
  CHECK_FALSE(has_name(out, "Via"));
  CHECK(has(out, "A: b"));
  CHECK(has(out, "X-Request-Id: id-1"));
}

TEST_CASE("A request that came in HTTP/2 says so") {
  RequestExtras extras = kExtras;
  extras.http2 = true;
  CHECK(has(forward(get_with({}), extras), "Via: 2.0 grayd"));
}

TEST_CASE("Only the router and trusted proxies say which certificate a client has (P31)") {
  const std::string claimed = get_with({"X-Forwarded-Client-Cert: Hash=1", "X_Forwarded_Client_Cert: Hash=2"});
  RequestExtras extras = kExtras;
  CHECK_FALSE(has_name(forward(claimed, extras), "X-Forwarded-Client-Cert"));
  CHECK(forward(claimed, extras).find("Hash=2") == std::string::npos);
  extras.client_cert = "Hash=3";
  CHECK(has(forward(claimed, extras), "X-Forwarded-Client-Cert: Hash=3"));
  extras.trusted = true;
  CHECK(has(forward(claimed, extras), "X-Forwarded-Client-Cert: Hash=1, Hash=3"));
  extras.client_cert = {};
  CHECK(has(forward(claimed, extras), "X-Forwarded-Client-Cert: Hash=1"));
}

TEST_CASE("Fields of a trusted proxy are kept and extended (P31)") {
  const std::string out =
      forward(get_with({"X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: site",
                        "X-Request-Id: theirs", "Forwarded: for=1.1.1.1", "X-Forwarded-For: 2.2.2.2",
                        "X-Forwarded-For:", "X-Gray-Version: v2", "X-Forwarded-Port: 443"}),
              trusted());
  CHECK(has(out, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9"));
  CHECK(has(out, "X-Forwarded-Proto: https"));
  CHECK(has(out, "X-Forwarded-Host: site"));
  CHECK(has(out, "X-Request-Id: theirs"));
  CHECK(has(out, "Forwarded: for=1.1.1.1"));
  CHECK(has(out, "X-Forwarded-Port: 443"));
  CHECK_FALSE(has_name(out, "X-Gray-Version"));
}

TEST_CASE("Without fields of a trusted proxy the router's own values are used") {
  const std::string out = forward(get_with({"X-Request-Id:"}), trusted());
  CHECK(has(out, "X-Forwarded-For: 10.0.0.9"));
  CHECK(has(out, "X-Forwarded-Proto: http"));
  CHECK(has(out, "X-Request-Id: id-1"));
}

TEST_CASE("A peer without an address leaves X-Forwarded-For out or as it was") {
  RequestExtras local = kExtras;
  local.client_ip = {};
  CHECK_FALSE(has_name(forward(get_with({"X-Forwarded-For: 6.6.6.6"}), local), "X-Forwarded-For"));
  local.trusted = true;
  CHECK(has(forward(get_with({"X-Forwarded-For: 1.1.1.1"}), local), "X-Forwarded-For: 1.1.1.1"));
}

TEST_CASE("The framing of a body is written anew, once (P17)") {
  CHECK(has(forward(get_with({"Content-Length: 007"})), "Content-Length: 7"));
  CHECK(has(forward(get_with({"Content-Length: 0"})), "Content-Length: 0"));
  CHECK(has(forward(get_with({"transfer-encoding: CHUNKED"})), "Transfer-Encoding: chunked"));
  CHECK_FALSE(has_name(forward(get_with({})), "Content-Length"));
  CHECK(has(forward(get_with({"Expect: 100-Continue", "Content-Length: 1"})), "Expect: 100-continue"));
}

TEST_CASE("A request whose body was dropped has no framing fields") {
  RequestExtras dropped = kExtras;
  dropped.keep_body = false;
  const std::string out = forward(get_with({"Expect: 100-continue", "Content-Length: 1"}), dropped);
  CHECK_FALSE(has_name(out, "Content-Length"));
  CHECK_FALSE(has_name(out, "Expect"));
}

TEST_CASE("What is written parses back to the same request") {
  const std::vector<std::string> texts = {
      get_with({}),
      get_with({"A:b", "C:d", "E:f"}),
      get_with({"Content-Length: 12"}),
      get_with({"Transfer-Encoding: chunked"}),
      "POST http://b/c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const std::string& text : texts) {
    const std::string out = forward(text);
    const RequestHead& before = good_request(text);
    const std::string method(before.method_text), target(before.path), host(before.authority);
    const Framing framing = before.framing;
    const RequestHead& after = good_request(out);
    CHECK(after.bytes.size() == out.size());
    CHECK(after.method_text == method);
    CHECK(after.target == target);
    CHECK(after.authority == host);
    CHECK(after.framing == framing);
  }
}

TEST_CASE("The bound holds for the smallest heads, where what is added weighs most") {
  std::string crowded = "G / HTTP/1.1\r\nHost:h\r\nX-Forwarded-For:1\r\nX-Forwarded-For:2\r\n";
  for (int i = 0; i < 90; ++i) crowded += "a:\r\n";
  CHECK(forward(crowded + "\r\n", trusted()).size() > crowded.size());
  CHECK_FALSE(forward("G / HTTP/1.0\r\n\r\n").empty());
  const std::string longest = "Content-Length:18446744073709551615\r\nExpect:100-continue\r\n";
  CHECK_FALSE(forward("G http://h HTTP/1.1\r\nHost:h\r\n" + longest + "\r\n").empty());
}

TEST_CASE("Connection cannot remove a field that the router knows, in any case or list (P1)") {
  for (const char* kept : {"Content-Length: 3", "Authorization: q", "Cookie: c=d", "Proxy-Authorization: p", "Date: d",
                           "Forwarded: for=1.1.1.1", "Via: 1.0 fred", "Server: s", "Retry-After: 1"}) {
    CAPTURE(kept);
    const std::string line = kept;
    const std::string name = line.substr(0, line.find(':'));
    CHECK(has(forward(get_with({"Connection: close, " + name, line}), trusted()), line));
    CHECK(has(forward(get_with({line, "Connection: ,,\t" + name + " ,keep-alive"}), trusted()), line));
  }
  for (const char* ours : {"Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id", "Via"}) {
    CAPTURE(ours);
    CHECK(has_name(forward(get_with({"Connection: " + std::string(ours)})), ours));
  }
  const std::string traced = forward(get_with({"Connection: traceparent, tracestate, te, transfer-encoding, expect",
                                               "Transfer-Encoding: chunked", "Expect: 100-continue"}));
  CHECK(has(traced, "Transfer-Encoding: chunked"));
  CHECK(has(traced, "Expect: 100-continue"));
}

TEST_CASE("TE is forwarded as trailers, named in Connection, or not at all (P1)") {
  const std::string wanted = forward(get_with({"TE: gzip, trailers", "Connection: TE"}));
  CHECK(has(wanted, "TE: trailers\r\nConnection: TE"));
  CHECK(wanted.find("gzip") == std::string::npos);
  for (const char* other : {"TE: gzip", "TE:", "Accept: trailers"}) {
    const std::string out = forward(get_with({other, "Connection: TE"}));
    CHECK_FALSE(has_name(out, "TE"));
    CHECK_FALSE(has_name(out, "Connection"));
  }
}

TEST_CASE("Max-Forwards of TRACE and OPTIONS goes down by one, others pass (P3)") {
  CHECK(has(forward("OPTIONS * HTTP/1.1\r\nHost: h\r\nmax-forwards: 1\r\n\r\n"), "Max-Forwards: 0"));
  const std::string trace = forward("TRACE / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 4294967296\r\n\r\n");
  CHECK(has(trace, "Max-Forwards: 254"));
  CHECK(trace.find("4294967296") == std::string::npos);
  CHECK(has(forward(get_with({"Max-Forwards: 0"})), "Max-Forwards: 0"));
  CHECK(has(forward(get_with({"Max-Forwards: any"})), "Max-Forwards: any"));
}

TEST_CASE("A valid trace is forwarded with our span as the parent, from any peer; an invalid one is dropped (P31)") {
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  const std::string theirs = "traceparent: 00-" + trace + "-b7ad6b7169203331-01";
  RequestExtras extras = kExtras;
  extras.span = "00f067aa0ba902b7";
  const std::string out = forward(get_with({theirs, "tracestate: a=1", "Tracestate: b=2"}), extras);
  CHECK(has(out, "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\ntracestate: a=1\r\ntracestate: b=2"));
  CHECK(out.find("b7ad6b7169203331") == std::string::npos);
  for (const auto& broken : {get_with({"tracestate: a=1"}), get_with({theirs, theirs, "tracestate: a=1"}),
                             get_with({theirs + "x", "tracestate: a=1"})}) {
    const std::string without = forward(broken, extras);
    CHECK_FALSE(has_name(without, "traceparent"));
    CHECK_FALSE(has_name(without, "tracestate"));
  }
}

TEST_CASE("An HTTP/1.0 worker does not get Expect (P23)") {
  RequestExtras extras = kExtras;
  extras.expect = false;
  const std::string out = forward(get_with({"Expect: 100-continue", "Content-Length: 1"}), extras);
  CHECK_FALSE(has_name(out, "Expect"));
  CHECK(has(out, "Content-Length: 1"));
}

TEST_CASE("The bound holds when everything that may be added is") {
  RequestExtras extras = kExtras;
  extras.span = "00f067aa0ba902b7";
  const std::string fields =
      "TE:trailers\r\nMax-Forwards:255\r\nExpect:100-continue\r\nContent-Length:18446744073709551615\r\n"
      "traceparent:00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate:a\r\n";
  CHECK_FALSE(forward("TRACE http://h HTTP/1.1\r\nHost:h\r\n" + fields + "\r\n", extras).empty());
  // Every part of it was shorter when it came.
  CHECK_FALSE(forward("TRACE / HTTP/1.1\r\nHost:h\r\nTE:trailers\r\nMax-Forwards:9\r\n\r\n", extras).empty());
}
