#include <doctest/doctest.h>

#include <vector>

#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

std::string get(std::string_view target, std::string_view version = "HTTP/1.1") {
  return "GET " + std::string(target) + " " + std::string(version) + "\r\nHost: a\r\n\r\n";
}

std::string post(std::initializer_list<std::string_view> fields, std::string_view version = "HTTP/1.1") {
  std::string text = "POST / " + std::string(version) + "\r\nHost: a\r\n";
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text + "\r\n";
}

std::string with_host(std::string_view host) { return head_of({"GET / HTTP/1.1", "Host: " + std::string(host)}); }

}  // namespace

TEST_CASE("The request line is method, target and version with exactly one space between (P9)") {
  const std::vector<HeadCase> cases = {
      {"P9 plain", get("/"), 0},
      {"P9 HTTP/1.0", get("/", "HTTP/1.0"), 0},
      {"P9 two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"P9 two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"P9 space behind the version", get("/", "HTTP/1.1 "), 400},
      {"P9 tab as separator", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"P9 HTTP/0.9", "GET /\r\n\r\n", 400},
      {"P9 no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"P9 empty version", "GET / \r\nHost: a\r\n\r\n", 400},
      {"P9 lower-case version", get("/", "http/1.1"), 400},
      {"P9 two-digit minor", get("/", "HTTP/1.10"), 400},
      {"P9 no minor", get("/", "HTTP/1"), 400},
      {"P9 other protocol", get("/", "ICY/1.1"), 400},
      {"P9 HTTP/2.0", get("/", "HTTP/2.0"), 505},
      {"P9 HTTP/0.9 spelled out", get("/", "HTTP/0.9"), 505},
      {"P9 HTTP/1.2", get("/", "HTTP/1.2"), 505},
      {"P9 the version is judged before the target", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"P9 HTTP/2 preface", "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"P9 method with a separator", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"P9 TLS client hello", std::string("\x16\x03\x01\x02\x00", 5), 400},
      {"P12 bare LF behind the version", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"P12 bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"P12 bare LF behind the target", "GET /\n\n", 400},
      {"P12 bare LF behind the method", "GET\n\n", 400},
      {"P12 bare CR behind the version", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
      {"P12 CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
      {"P14 NUL in the version", get("/", std::string_view("HTTP/1.1\0", 9)), 400},
      {"P8 extension method", "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"P8 longest method", std::string(32, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"P8 longer method", std::string(33, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  };
  for (const HeadCase& test : cases) feed_request(test);
}

TEST_CASE("One empty line before the request line is skipped, anything else is refused (P13)") {
  const std::vector<HeadCase> cases = {
      {"P13 one empty line", "\r\n" + get("/"), 0}, {"P13 two empty lines", "\r\n\r\n" + get("/"), 400},
      {"P13 leading space", " " + get("/"), 400},   {"P13 whitespace line", " \r\n" + get("/"), 400},
      {"P12 bare LF", "\n" + get("/"), 400},        {"P12 bare CR", "\r" + get("/"), 400},
  };
  for (const HeadCase& test : cases) feed_request(test);
}

TEST_CASE("A target is origin-form, absolute-form, or * with OPTIONS (P7)") {
  const std::vector<HeadCase> cases = {
      {"P5 query", get("/a/b?c=d&e=%20"), 0},
      {"P5 odd but visible", get("/{a}|\\^\"<>`?{}"), 0},
      {"P7 absolute-form", get("http://b/c"), 0},
      {"P7 absolute-form https upper case", get("HTTPS://b:8443/c?d"), 0},
      {"P7 absolute-form without path", get("http://b"), 0},
      {"P7 absolute-form with query and no path", get("http://b?c"), 0},
      {"P7 absolute-form with user information", get("http://u@b/"), 400},
      {"P7 absolute-form without authority", get("http:///c"), 400},
      {"P7 absolute-form with bad port", get("http://b:x/"), 400},
      {"P7 other scheme", get("ftp://b/c"), 400},
      {"P7 no slash", get("a/b"), 400},
      {"P7 authority-form with GET", get("b:80"), 400},
      {"P7 * with GET", get("*"), 400},
      {"P7 * with OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"P7 CONNECT", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", 501},
      {"P9 fragment", get("/a#b"), 400},
      {"P9 tab", get("/a\tb"), 400},
      {"P9 NUL", get(std::string_view("/a\0b", 4)), 400},
      {"P9 DEL", get("/a\x7f"), 400},
      {"P9 UTF-8", get("/\xc3\xa9"), 400},
      {"P9 space", get("/a b"), 400},
  };
  for (const HeadCase& test : cases) feed_request(test);
}

TEST_CASE("What is forwarded of a target is its origin-form, and its authority overrides Host (P5)") {
  struct Case {
    const char* line;
    const char* path_query;
    const char* host;
  };
  const std::vector<Case> cases = {
      {"GET /x?y HTTP/1.1", "/x?y", "a"},  {"GET http://b:81/x?y HTTP/1.1", "/x?y", "b:81"},
      {"GET http://b HTTP/1.1", "/", "b"}, {"OPTIONS http://b HTTP/1.1", "*", "b"},
      {"OPTIONS * HTTP/1.1", "*", "a"},
  };
  for (const Case& test : cases) {
    const std::string text = head_of({test.line, "Host: a"});
    const RequestHead& head = good_request(text);
    CHECK(head.path == test.path_query);
    CHECK(head.authority == test.host);
  }
}

TEST_CASE("There is exactly one valid Host (P6)") {
  const std::vector<HeadCase> cases = {
      {"P6 missing", "GET / HTTP/1.1\r\n\r\n", 400},
      {"P6 missing in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0},
      {"P6 repeated", head_of({"GET / HTTP/1.1", "Host: a", "Host: b"}), 400},
      {"P6 repeated alike", head_of({"GET / HTTP/1.1", "Host: a", "host: a"}), 400},
      {"P6 repeated in HTTP/1.0", head_of({"GET / HTTP/1.0", "Host: a", "host: a"}), 400},
      {"P6 missing beside absolute-form", "GET http://b/ HTTP/1.1\r\n\r\n", 400},
      {"P6 name and port", with_host("example.com:8080"), 0},
      {"P6 address", with_host("127.0.0.1"), 0},
      {"P6 IPv6", with_host("[::1]:80"), 0},
      {"P6 empty", with_host(""), 400},
      {"P6 user information", with_host("u@a"), 400},
      {"P6 path", with_host("a/b"), 400},
      {"P6 space", with_host("a b"), 400},
      {"P6 comma", with_host("a, b"), 400},
      {"P6 port only", with_host(":80"), 400},
      {"P6 invalid beside absolute-form", head_of({"GET http://b/ HTTP/1.1", "Host: a/b"}), 400},
  };
  for (const HeadCase& test : cases) feed_request(test);
}

TEST_CASE("A request whose body could end in two places is refused (P15, P16, P17)") {
  const std::vector<HeadCase> cases = {
      {"P15 TE and CL", post({"Content-Length: 5", "Transfer-Encoding: chunked"}), 400},
      {"P15 CL and TE", post({"Transfer-Encoding: chunked", "Content-Length: 5"}), 400},
      {"P16 chunked", post({"Transfer-Encoding: chunked"}), 0},
      {"P16 case", post({"Transfer-Encoding: ChUnKeD"}), 0},
      {"P16 blanks around", post({"Transfer-Encoding:\t chunked \t"}), 0},
      {"P16 HTTP/1.0", post({"Transfer-Encoding: chunked"}, "HTTP/1.0"), 400},
      {"P16 repeated", post({"Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}), 400},
      {"P16 two codings in two lines", post({"Transfer-Encoding: gzip", "Transfer-Encoding: chunked"}), 400},
      {"P10 space before the colon", post({"Transfer-Encoding : chunked"}), 400},
      {"P11 obs-fold", post({"Transfer-Encoding:", " chunked"}), 400},
      {"P14 vertical tab",
       post({"Transfer-Encoding: \x0b"
             "chunked"}),
       400},
      {"P14 form feed",
       post({"Transfer-Encoding: \x0c"
             "chunked"}),
       400},
      {"P14 NUL", post({std::string_view("Transfer-Encoding: chunked\0", 27)}), 400},
      {"P16 unknown", post({"Transfer-Encoding: xchunked"}), 501},
      {"P16 gzip, chunked", post({"Transfer-Encoding: gzip, chunked"}), 501},
      {"P17 length", post({"Content-Length: 5"}), 0},
      {"P17 repeated alike", post({"Content-Length: 5", "Content-Length: 5"}), 400},
      {"P17 repeated", post({"Content-Length: 5", "Content-Length: 6"}), 400},
      {"P17 list alike", post({"Content-Length: 5, 5"}), 400},
      {"P17 negative", post({"Content-Length: -1"}), 400},
      {"P17 empty", post({"Content-Length:"}), 400},
      {"P28 zero", post({"Content-Length: 0"}), 0},
      {"P28 GET with length", head_of({"GET / HTTP/1.1", "Host: a", "Content-Length: 5"}), 0},
  };
  for (const HeadCase& test : cases) feed_request(test);
}

TEST_CASE("The framing of a good request is what its field says (P28)") {
  CHECK(good_request(post({})).framing == Framing{});
  CHECK(good_request(post({"Content-Length: 0"})).framing == Framing{Framing::Kind::length, 0});
  CHECK(good_request(post({"Content-Length: 0042"})).framing == Framing{Framing::Kind::length, 42});
  CHECK(good_request(post({"Transfer-Encoding: chunked"})).framing == Framing{Framing::Kind::chunked, 0});
}

TEST_CASE("Persistence follows the version and the options of Connection (P26)") {
  CHECK(good_request(post({})).keep_alive);
  CHECK_FALSE(good_request(post({"Connection: close"})).keep_alive);
  CHECK_FALSE(good_request(post({"Connection: foo,\tCLOSE"})).keep_alive);
  CHECK_FALSE(good_request(post({"Connection: keep-alive", "Connection: close"})).keep_alive);
  CHECK_FALSE(good_request(post({}, "HTTP/1.0")).keep_alive);
  CHECK(good_request(post({"Connection: Keep-Alive"}, "HTTP/1.0")).keep_alive);
  CHECK_FALSE(good_request(post({"Connection: keep-alive, close"}, "HTTP/1.0")).keep_alive);
  CHECK_FALSE(good_request(post({"Proxy-Connection: keep-alive"}, "HTTP/1.0")).keep_alive);
}

TEST_CASE("An expectation without content is ignored (P23)") {
  CHECK_FALSE(good_request(post({"Expect: 100-continue"})).expect_continue);
  CHECK_FALSE(good_request(post({"Expect: 100-continue", "Content-Length: 0"})).expect_continue);
}

TEST_CASE("Expectations and upgrades count in HTTP/1.1 only (P23)") {
  CHECK(good_request(post({"Expect: 100-Continue", "Content-Length: 1"})).expect_continue);
  CHECK(good_request(post({"Transfer-Encoding: chunked", "Expect: 100-continue"})).expect_continue);
  CHECK_FALSE(good_request(post({"Expect: 100-continue", "Content-Length: 1"}, "HTTP/1.0")).expect_continue);
  feed_request({"P23 other expectation", post({"Expect: fast"}), 417});
  feed_request({"P23 two expectations in one", post({"Expect: 100-continue, fast"}), 417});
  CHECK(good_request(post({"Connection: Upgrade", "Upgrade: websocket"})).upgrade);
  CHECK_FALSE(good_request(post({"Upgrade: websocket"})).upgrade);
  CHECK_FALSE(good_request(post({"Connection: upgrade"})).upgrade);
  CHECK_FALSE(good_request(post({"Connection: upgrade", "Upgrade: websocket"}, "HTTP/1.0")).upgrade);
}

TEST_CASE("A head as large as the limit parses; one byte more is refused as request line or as head (P8)") {
  const auto sized = [](std::size_t target, std::size_t value) {
    return "GET /" + std::string(target, 'a') + " HTTP/1.1\r\nHost: a\r\nX: " + std::string(value, 'b') + "\r\n\r\n";
  };
  const HeadLimits limits{sized(100, 100).size(), 100};
  feed_request({"P8 at the limit", sized(100, 100), 0}, limits);
  feed_request({"P8 one byte more", sized(100, 101), 431}, limits);
  feed_request({"P8 fields without end", sized(10, 5000), 431}, limits);
  feed_request({"P8 target without end", sized(5000, 10), 414}, limits);
  feed_request({"P8 target of 8000 bytes", sized(8000, 10), 0});
}

TEST_CASE("As many fields as the limit parse, one more is refused (P8)") {
  const auto with_fields = [](std::size_t count) {
    std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < count; ++i) text += "X: y\r\n";
    return text + "\r\n";
  };
  feed_request({"P8 100 fields", with_fields(100), 0});
  feed_request({"P8 101 fields", with_fields(101), 431});
  feed_request({"P8 1000 fields", with_fields(1000), 0}, {32 * 1024, 5000});
  feed_request({"P8 1001 fields, whatever the limit says", with_fields(1001), 431}, {32 * 1024, 5000});
}

TEST_CASE("A browser's request of nine fields and 600 bytes parses into its parts") {
  const std::string text = head_of({
      "GET /shop/items?category=books&sort=price&page=2 HTTP/1.1",
      "Host: www.example.com",
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
      "Accept-Language: en-US,en;q=0.5",
      "Accept-Encoding: gzip, deflate, br, zstd",
      "Referer: https://www.example.com/shop/items?category=books&sort=price&page=1",
      "Cookie: uid=8c1f0e2a77b94d31; session=Zm9vYmFyYmF6cXV4; theme=dark; consent=analytics%3Dno; version=v2",
      "Upgrade-Insecure-Requests: 1",
      "Connection: keep-alive",
  });
  CHECK(text.size() > 550);
  const RequestHead& head = good_request(text);
  CHECK(head.bytes.size() == text.size());
  CHECK(head.method == Method::get);
  CHECK(head.method_text == "GET");
  CHECK(head.path == "/shop/items?category=books&sort=price&page=2");
  CHECK(head.authority == "www.example.com");
  CHECK(head.version == Version::http11);
  CHECK(head.keep_alive);
  CHECK_FALSE(head.upgrade);
  CHECK(head.framing == Framing{});
  REQUIRE(head.fields.count == 9);
  CHECK(head.fields.items[1].name == "User-Agent");
  CHECK(head.fields.find(Name::cookie)->value.ends_with("version=v2"));
  CHECK(head.fields.find("accept-LANGUAGE")->value == "en-US,en;q=0.5");
}

TEST_CASE("Every known method is recognised, in its own case only") {
  const std::vector<std::pair<const char*, Method>> methods = {
      {"GET", Method::get},        {"HEAD", Method::head},   {"POST", Method::post},   {"PUT", Method::put},
      {"DELETE", Method::delete_}, {"PATCH", Method::patch}, {"TRACE", Method::trace}, {"OPTIONS", Method::options},
      {"get", Method::other},      {"GETT", Method::other}};
  for (const auto& [name, method] : methods) {
    const std::string text = std::string(name) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(good_request(text).method == method);
  }
}

TEST_CASE("Max-Forwards counts for TRACE and OPTIONS, and must be a number (P3)") {
  const auto with = [](std::string_view method, std::initializer_list<std::string_view> values) {
    std::string text = std::string(method) + " / HTTP/1.1\r\nHost: a\r\n";
    for (const std::string_view value : values) text.append("Max-Forwards: ").append(value).append("\r\n");
    return text + "\r\n";
  };
  const std::vector<HeadCase> cases = {
      {"P3 zero", with("OPTIONS", {"0"}), 0},
      {"P3 a few", with("TRACE", {"10"}), 0},
      {"P3 a sign", with("OPTIONS", {"-1"}), 400},
      {"P3 plus", with("TRACE", {"+1"}), 400},
      {"P3 empty", with("OPTIONS", {""}), 400},
      {"P3 words", with("OPTIONS", {"ten"}), 400},
      {"P3 list", with("OPTIONS", {"1, 1"}), 400},
      {"P3 overflow", with("TRACE", {"99999999999999999999"}), 400},
      {"P3 twice", with("OPTIONS", {"1", "1"}), 400},
      {"P3 words with GET", with("GET", {"ten"}), 0},
      {"P3 twice with POST", with("POST", {"1", "2"}), 0},
  };
  for (const HeadCase& test : cases) feed_request(test);
  CHECK(good_request(with("OPTIONS", {"0"})).hops == 0);
  CHECK(good_request(with("TRACE", {"7"})).hops == 7);
  CHECK(good_request(with("TRACE", {"18446744073709551615"})).hops == kMostHops);
  CHECK(good_request(with("OPTIONS", {})).hops == kAnyHops);
  CHECK(good_request(with("GET", {"0"})).hops == kAnyHops);
}

TEST_CASE("TE says whether a client takes trailers, in HTTP/1.1 (P21)") {
  CHECK(good_request(post({"TE: trailers"})).wants_trailers);
  CHECK(good_request(post({"TE: gzip;q=0.5, Trailers", "TE: deflate"})).wants_trailers);
  CHECK_FALSE(good_request(post({"TE: gzip", "X: trailers"})).wants_trailers);
  CHECK_FALSE(good_request(post({"TE: xtrailers"})).wants_trailers);
  CHECK_FALSE(good_request(post({"TE: trailers"}, "HTTP/1.0")).wants_trailers);
  CHECK_FALSE(good_request(post({})).wants_trailers);
}

TEST_CASE("A trace comes from exactly one valid traceparent (P31)") {
  const std::string good = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  CHECK(good_request(post({good})).trace.trace_id == "0af7651916cd43dd8448eb211c80319c");
  CHECK_FALSE(good_request(post({good, good})).trace);
  CHECK_FALSE(good_request(post({good + "0"})).trace);
  CHECK_FALSE(good_request(post({})).trace);
}

TEST_CASE("Fields of an earlier head are not seen again") {
  const std::string first =
      head_of({"GET / HTTP/1.1", "Host: a", "Cookie: c", "Connection: close", "sec-fetch-dest: script"});
  CHECK_FALSE(good_request(first).keep_alive);
  CHECK(good_request(first).fetch_dest == "script");
  const std::string second = head_of({"GET / HTTP/1.1", "Host: a"});
  const RequestHead& head = good_request(second);
  CHECK(head.keep_alive);
  CHECK(head.fields.find(Name::cookie) == nullptr);
  CHECK(head.fetch_dest.empty());
}
