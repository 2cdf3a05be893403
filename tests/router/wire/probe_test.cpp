// Messages that parsers are known to read differently, each under the title that conformance probes list it by. A
// message is fed whole, byte by byte, and with another one behind it: each time the same bytes are accepted, or the
// same rule refuses it.
#include <doctest/doctest.h>

#include <vector>

#include "router/wire/body.hpp"
#include "router/wire/forwarding.hpp"
#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

constexpr HeadLimits kLimits{4096, 100};
constexpr std::string_view kNext = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

struct Probe {
  const char* title;
  std::string text;
  const char* rule = "";     // "": it is accepted
  int status = 0;            // of the refusal
  std::string payload = {};  // if it is accepted
};

struct Taken {
  std::string rule, payload;
  int status = 0;
  std::size_t bytes = 0;  // of head and body
  bool complete = false;
};

/// Like a connection: gathers bytes until the head is complete, and feeds the rest to the decoder.
Taken take(std::string_view text, std::size_t step) {
  Taken taken;
  Fault fault;
  std::size_t given = 0;
  Parse parsed = Parse::incomplete;
  while (parsed == Parse::incomplete && given < text.size()) {
    given = std::min(given + step, text.size());
    parsed = parse_request(text.substr(0, given), kLimits, shared_request(), fault);
  }
  if (parsed == Parse::fault) return {fault.rule, "", fault.status};
  if (parsed == Parse::incomplete) return taken;
  taken.bytes = shared_request().bytes.size();
  BodyDecoder decoder(shared_request().framing);
  while (!decoder.done() && taken.bytes < text.size()) {
    const BodyDecoder::Step done = decoder.feed(text.substr(taken.bytes, step));
    taken.payload += done.payload;
    taken.bytes += done.consumed;
    if (done.result == BodyDecoder::Result::fault) return {decoder.fault().rule, "", decoder.fault().status};
  }
  taken.complete = decoder.done();
  return taken;
}

void check(const Probe& probe) {
  CAPTURE(probe.title);
  for (const std::string_view behind : {std::string_view(""), kNext, std::string_view("\r\n\r\n")}) {
    const std::string text = probe.text + std::string(behind);
    for (const std::size_t step : {text.size(), std::size_t{1}, std::size_t{3}}) {
      const Taken taken = take(text, step);
      CHECK(taken.rule == probe.rule);
      CHECK(taken.status == probe.status);
      if (probe.status != 0) continue;
      CHECK(taken.complete);
      CHECK(taken.payload == probe.payload);
      CHECK(taken.bytes == probe.text.size());
    }
  }
}

std::string post_probe(std::initializer_list<std::string_view> fields, std::string_view body = "",
                       std::string_view version = "HTTP/1.1") {
  std::string text = "POST / " + std::string(version) + "\r\nHost: a\r\n";
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text.append("\r\n").append(body);
}

std::string chunked(std::string_view body) { return post_probe({"Transfer-Encoding: chunked"}, body); }

std::string get_probe(std::string_view target, std::initializer_list<std::string_view> fields = {}) {
  std::string text = "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n";
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text + "\r\n";
}

std::string bytes(const char* text, std::size_t size) { return {text, size}; }

}  // namespace

TEST_CASE("probes of Content-Length (P15, P17)") {
  const std::vector<Probe> probes = {
      {"CL-TE-BOTH", post_probe({"Content-Length: 5", "Transfer-Encoding: chunked"}, "0\r\n\r\n"), "P15", 400},
      {"DUPLICATE-CL", post_probe({"Content-Length: 5", "Content-Length: 10"}, "hello"), "P17", 400},
      {"CL-LEADING-ZEROS", post_probe({"Content-Length: 005"}, "hello"), "", 0, "hello"},
      {"CL-LEADING-ZEROS-OCTAL", post_probe({"Content-Length: 0010"}, "helloworld"), "", 0, "helloworld"},
      {"CL-COMMA-DIFFERENT", post_probe({"Content-Length: 5, 10"}, "hello"), "P17", 400},
      {"CL-COMMA-SAME", post_probe({"Content-Length: 5, 5"}, "hello"), "P17", 400},
      {"CL-COMMA-TRIPLE", post_probe({"Content-Length: 5, 5, 5"}, "hello"), "P17", 400},
      {"CL-NEGATIVE", post_probe({"Content-Length: -1"}), "P17", 400},
      {"CL-NEGATIVE-ZERO", post_probe({"Content-Length: -0"}), "P17", 400},
      {"CL-OCTAL", post_probe({"Content-Length: 0o5"}, "hello"), "P17", 400},
      {"CL-HEX-PREFIX", post_probe({"Content-Length: 0x5"}, "hello"), "P17", 400},
      {"CL-UNDERSCORE", post_probe({"Content-Length: 1_0"}, "helloworld"), "P17", 400},
      {"CL-INTERNAL-SPACE", post_probe({"Content-Length: 1 0"}, "helloworld"), "P17", 400},
      {"CL-DOUBLE-ZERO", post_probe({"Content-Length: 00"}), "", 0, ""},
      {"CL-TRAILING-SPACE", post_probe({"Content-Length: 5 "}, "hello"), "", 0, "hello"},
      {"CL-EXTRA-LEADING-SP", post_probe({"Content-Length:  5"}, "hello"), "", 0, "hello"},
      {"CL-EMPTY", post_probe({"Content-Length:"}), "P17", 400},
      {"CL-EMPTY-BEFORE-ANOTHER", post_probe({"Content-Length:", "Content-Length: 5"}, "hello"), "P17", 400},
      {"CL-PLUS", post_probe({"Content-Length: +5"}, "hello"), "P17", 400},
      {"CL-OVERFLOW", post_probe({"Content-Length: 18446744073709551616"}), "P17", 400},
  };
  for (const Probe& probe : probes) check(probe);  // "0010" is ten, not eight
}

TEST_CASE("probes of Transfer-Encoding (P16)") {
  const std::string end = "0\r\n\r\n";
  const std::vector<Probe> probes = {
      {"TE-XCHUNKED", post_probe({"Transfer-Encoding: xchunked"}, end), "P16", 501},
      {"TE-SP-BEFORE-COLON", post_probe({"Transfer-Encoding : chunked"}, end), "P10", 400},
      {"TE-TRAILING-SPACE", post_probe({"Transfer-Encoding: chunked "}, end), "", 0, ""},
      {"TE-TRAILING-COMMA", post_probe({"Transfer-Encoding: chunked,"}, end), "P16", 400},
      {"TE-LEADING-COMMA", post_probe({"Transfer-Encoding: ,chunked"}, end), "P16", 400},
      {"TE-DOUBLE-CHUNKED", post_probe({"Transfer-Encoding: chunked, chunked"}, end), "P16", 400},
      {"TE-DUPLICATE-HEADERS", post_probe({"Transfer-Encoding: chunked", "Transfer-Encoding: identity"}, end), "P16",
       400},
      {"TE-CASE-MISMATCH", post_probe({"Transfer-Encoding: Chunked"}, end), "", 0, ""},
      {"TE-EMPTY-VALUE", post_probe({"Transfer-Encoding:"}, end), "P16", 400},
      {"TE-IDENTITY", post_probe({"Transfer-Encoding: identity"}), "P16", 400},
      {"TE-NOT-FINAL-CHUNKED", post_probe({"Transfer-Encoding: chunked, gzip"}, end), "P16", 400},
      {"TE-HTTP10", post_probe({"Transfer-Encoding: chunked"}, end, "HTTP/1.0"), "P16", 400},
      {"TE-VTAB",
       post_probe({"Transfer-Encoding: \x0b"
                   "chunked"},
                  end),
       "P14", 400},
      {"TE-FORMFEED",
       post_probe({"Transfer-Encoding: \x0c"
                   "chunked"},
                  end),
       "P14", 400},
      {"TE-NULL", post_probe({bytes("Transfer-Encoding: \0chunked", 27)}, end), "P14", 400},
      {"TE-OBS-FOLD", post_probe({"Transfer-Encoding:", " chunked"}, end), "P11", 400},
      {"TE-TAB-BEFORE-VALUE", post_probe({"Transfer-Encoding:\tchunked"}, end), "", 0, ""},
      {"TE-QUOTED", post_probe({"Transfer-Encoding: \"chunked\""}, end), "P16", 400},
      {"TE-PARAMETER", post_probe({"Transfer-Encoding: chunked;q=1"}, end), "P16", 400},
  };
  for (const Probe& probe : probes) check(probe);
}

TEST_CASE("probes of chunks (P12, P20)") {
  const std::string tail = "\r\nhello\r\n0\r\n\r\n";
  const std::vector<Probe> probes = {
      {"CHUNK-BARE-SEMICOLON", chunked("5;" + tail), "P20", 400},
      {"CHUNK-EXT-INVALID-TOKEN", chunked("5;a[b" + tail), "P20", 400},
      {"CHUNK-EXT-LF", chunked("5;a\nb" + tail), "P12", 400},
      {"CHUNK-EXT-CR", chunked("5;a\rb" + tail), "P12", 400},
      {"CHUNK-EXT-CTRL", chunked(bytes("5;a\0b", 5) + tail), "P20", 400},
      {"CHUNK-EXT-CR-IN-BLANKS", chunked("5; \ra" + tail), "P20", 400},
      {"CHUNK-LF-TERM", chunked("5\nhello\n0\n\n"), "P12", 400},
      {"CHUNK-LF-TRAILER", chunked("5\r\nhello\r\n0\r\n\n"), "P12", 400},
      {"CHUNK-BARE-CR-TERM", chunked("5\rhello\r\n0\r\n\r\n"), "P12", 400},
      {"CHUNK-MISSING-TRAILING-CRLF", chunked("5\r\nhello0\r\n\r\n"), "P20", 400},
      {"CHUNK-SPILL", chunked("5\r\nhello!!\r\n0\r\n\r\n"), "P20", 400},
      {"CHUNK-LEADING-SP", chunked(" 5" + tail), "P20", 400},
      {"CHUNK-SIZE-TRAILING-OWS", chunked("5 " + tail), "P20", 400},
      {"CHUNK-SIZE-PLUS", chunked("+5" + tail), "P20", 400},
      {"CHUNK-HEX-PREFIX", chunked("0x5" + tail), "P20", 400},
      {"CHUNK-UNDERSCORE", chunked("1_0" + tail), "P20", 400},
      {"CHUNK-NEGATIVE", chunked("-5" + tail), "P20", 400},
      {"CHUNK-INVALID-SIZE-DESYNC", chunked("+0\r\n\r\n"), "P20", 400},
      {"CHUNK-LONGEST-PREFIX", chunked("5xyz" + tail), "P20", 400},
      {"CHUNK-EXTRA-CRLF-BEFORE-LAST", chunked("5\r\nhello\r\n\r\n0\r\n\r\n"), "P20", 400},
      {"CHUNK-SIZE-OVERFLOW", chunked("FFFFFFFFFFFFFFFFF\r\n"), "P20", 400},
      {"CHUNK-EXT-64K", chunked("5;" + std::string(65536, 'a') + tail), "P20", 400},
      {"CHUNK-EXT-LEGAL", chunked("5;a=b;c=\"d;e\"" + tail), "", 0, "hello"},
  };
  for (const Probe& probe : probes) check(probe);
}

TEST_CASE("probes of trailers: accepted, and never merged into the fields (P21)") {
  for (const char* trailer : {"Content-Length: 5", "Transfer-Encoding: chunked", "Host: evil", "Authorization: x",
                              "Content-Type: text/evil"}) {
    check({trailer, chunked("5\r\nhello\r\n0\r\n" + std::string(trailer) + "\r\n\r\n"), "", 0, "hello"});
  }
}

TEST_CASE("probes of two requests in one: the body is a body (P15, P28)") {
  const std::string next(kNext), size = std::to_string(next.size());
  const std::string clte = post_probe({"Content-Length: 6", "Transfer-Encoding: chunked"}, "0\r\n\r\nG");
  const std::string tecl = post_probe({"Transfer-Encoding: chunked", "Content-Length: 4"}, "1\r\nx\r\n0\r\n\r\n");
  const auto with_body = [&](const char* method) {
    return std::string(method) + " / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + next;
  };
  const std::vector<Probe> probes = {
      {"CLTE-PIPELINE", clte + next, "P15", 400},
      {"CLTE-DESYNC", clte, "P15", 400},
      {"CLTE-CONN-CLOSE",
       post_probe({"Connection: close", "Content-Length: 6", "Transfer-Encoding: chunked"}, "0\r\n\r\nG"), "P15", 400},
      {"CLTE-SMUGGLED-GET", post_probe({"Content-Length: 5", "Transfer-Encoding: chunked"}, "0\r\n\r\n" + next), "P15",
       400},
      {"TECL-PIPELINE", tecl + next, "P15", 400},
      {"TECL-DESYNC", tecl, "P15", 400},
      {"TECL-CONN-CLOSE",
       post_probe({"Connection: close", "Transfer-Encoding: chunked", "Content-Length: 4"}, "0\r\n\r\n"), "P15", 400},
      {"TECL-SMUGGLED-GET", post_probe({"Transfer-Encoding: chunked", "Content-Length: 4"}, "0\r\n\r\n" + next), "P15",
       400},
      {"CL0-BODY-POISON", post_probe({"Content-Length: 0"}), "", 0, ""},
      {"GET-CL-BODY-DESYNC", with_body("GET"), "", 0, next},
      {"OPTIONS-CL-BODY-DESYNC", with_body("OPTIONS"), "", 0, next},
      {"GET-CL-PREFIX-DESYNC", with_body("GET"), "", 0, next},
      {"EXPECT-100-CL", post_probe({"Expect: 100-continue", "Content-Length: 5"}, "hello"), "", 0, "hello"},
      {"EXPECT-100-CL-DESYNC", post_probe({"Expect: 100-continue", "Content-Length: " + size}, next), "", 0, next},
      {"POST-CL-0-CHUNKED", post_probe({"Content-Length: 0", "Transfer-Encoding: chunked"}, "0\r\n\r\n"), "P15", 400},
  };
  for (const Probe& probe : probes) check(probe);
}

TEST_CASE("probes of targets and hosts (P6, P7, P9)") {
  const std::vector<Probe> probes = {
      {"MULTIPLE-HOST-COMMA", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "P6", 400},
      {"NUL-IN-URL", get_probe(bytes("/a\0b", 4)), "P9", 400},
      {"URL-OVERLONG-UTF8", get_probe("/\xc0\xaf"), "P9", 400},
      {"URL-PERCENT-NULL", get_probe("/%00"), "", 0, ""},
      {"URL-PERCENT-CRLF", get_probe("/%0d%0aX:%20y"), "", 0, ""},
      {"URL-BACKSLASH", get_probe("/a\\b"), "", 0, ""},
      {"LONG-URL", get_probe("/" + std::string(5'000, 'a')), "P8", 414},
      {"H2-PREFACE", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "P9", 505},
  };
  for (const Probe& probe : probes) check(probe);
  const std::string mismatch = "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n";
  check({"ABSOLUTE-URI-HOST-MISMATCH", mismatch, "", 0, ""});
  CHECK(good_request(mismatch).authority == "b");
  for (const char* target : {"/%00", "/%0d%0aX:%20y", "/a\\b", "/a/../b//c"}) {
    const std::string text = get_probe(target);
    const RequestHead& head = good_request(text);
    std::string out(request_bound(head, {}), '\0');
    out.resize(write_request(head, {}, out.data()));
    CHECK(out.starts_with("GET " + std::string(target) + " HTTP/1.1\r\n"));  // byte for byte (P5)
  }
}

TEST_CASE("probes of sizes and of missing parts (P8, P14, P27)") {
  const std::string name(5'000, 'n');
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  const std::vector<Probe> probes = {
      {"NUL-IN-HEADER-VALUE", get_probe("/", {bytes("X: a\0b", 6)}), "P14", 400},
      {"CR-IN-HEADER-VALUE", get_probe("/", {"X: a\rb"}), "P12", 400},
      {"LINE-WITHOUT-COLON", get_probe("/", {"X"}), "P14", 400},
      {"ILLEGAL-BYTE-IN-NAME", get_probe("/", {"X\x80: y"}), "P14", 400},
      {"LONG-HEADER-NAME", get_probe("/", {name + ": x"}), "P8", 431},
      {"LONG-HEADER-VALUE", get_probe("/", {"X: " + name}), "P8", 431},
      {"LONG-METHOD", std::string(100, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", "P8", 501},
      {"MANY-HEADERS", many + "\r\n", "P8", 431},
  };
  for (const Probe& probe : probes) check(probe);
  for (const std::string& incomplete :
       {std::string(""), std::string("GET / HTTP/1.1\r\nHost: a\r\n"), std::string("GET"),
        post_probe({"Content-Length: 18446744073709551615"}), post_probe({"Transfer-Encoding: chunked"}, "5\r\nhel")}) {
    CAPTURE(incomplete);  // INCOMPLETE-REQUEST, EMPTY-REQUEST, POST-CL-HUGE-NO-BODY
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
      const Taken taken = take(incomplete, step);
      CHECK(taken.status == 0);
      CHECK_FALSE(taken.complete);
    }
  }
}
