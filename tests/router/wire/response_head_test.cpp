#include <doctest/doctest.h>

#include <vector>

#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

std::string answer(std::string_view line, std::initializer_list<std::string_view> fields = {}) {
  std::string text = std::string(line) + "\r\n";
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text + "\r\n";
}

}  // namespace

TEST_CASE("A status line is version, three digits and a reason that may be missing (P9)") {
  const std::vector<HeadCase> cases = {
      {"P9 plain", answer("HTTP/1.1 200 OK"), 0},
      {"P9 empty reason", answer("HTTP/1.1 200 "), 0},
      {"P9 no space behind the status", answer("HTTP/1.1 200"), 0},
      {"P9 HTTP/1.0", answer("HTTP/1.0 200 OK"), 0},
      {"P9 reason with obs-text", answer("HTTP/1.1 404 Pas trouv\xe9"), 0},
      {"P9 two digits", answer("HTTP/1.1 20 OK"), 502},
      {"P9 four digits", answer("HTTP/1.1 2000 OK"), 502},
      {"P9 status below 100", answer("HTTP/1.1 099 OK"), 502},
      {"P9 status above 599", answer("HTTP/1.1 600 OK"), 502},
      {"P9 letters", answer("HTTP/1.1 2x0 OK"), 502},
      {"P9 two spaces", answer("HTTP/1.1  200 OK"), 502},
      {"P9 HTTP/2", answer("HTTP/2.0 200 OK"), 502},
      {"P9 other protocol", answer("ICY 200 OK"), 502},
      {"P9 lower case", answer("http/1.1 200 OK"), 502},
      {"P9 leading empty line", "\r\n" + answer("HTTP/1.1 200 OK"), 502},
      {"P12 bare LF", "HTTP/1.1 200 OK\nA: b\r\n\r\n", 502},
      {"P12 bare CR", "HTTP/1.1 200 OK\rA: b\r\n\r\n", 502},
      {"P14 NUL in the reason", answer(std::string_view("HTTP/1.1 200 O\0K", 16)), 502},
  };
  for (const HeadCase& test : cases) feed_response(test);
}

TEST_CASE("The fields of a response follow the same rules (P10 to P17)") {
  const std::vector<HeadCase> cases = {
      {"P10 space before the colon", answer("HTTP/1.1 200 OK", {"A : b"}), 502},
      {"P11 obs-fold", answer("HTTP/1.1 200 OK", {"A: b", " c"}), 502},
      {"P13 whitespace first", answer("HTTP/1.1 200 OK", {" A: b"}), 502},
      {"P14 control byte", answer("HTTP/1.1 200 OK", {"A: b\x02"}), 502},
      {"P15 TE and CL", answer("HTTP/1.1 200 OK", {"Content-Length: 1", "Transfer-Encoding: chunked"}), 502},
      {"P16 TE in HTTP/1.0", answer("HTTP/1.0 200 OK", {"Transfer-Encoding: chunked"}), 502},
      {"P16 unknown coding", answer("HTTP/1.1 200 OK", {"Transfer-Encoding: gzip"}), 502},
      {"P17 repeated length", answer("HTTP/1.1 200 OK", {"Content-Length: 1", "Content-Length: 1"}), 502},
      {"P17 invalid length", answer("HTTP/1.1 200 OK", {"Content-Length: 0x1"}), 502},
      {"P17 invalid length of a 304", answer("HTTP/1.1 304 Not Modified", {"Content-Length: +1"}), 502},
  };
  for (const HeadCase& test : cases) feed_response(test);
}

TEST_CASE("A response that is too large is refused even when incomplete") {
  const std::string filler(100, 'b');
  feed_response({"P8 too large", answer("HTTP/1.1 200 OK", {"A: " + filler}), 502}, Method::get, {64, 9});
  feed_response({"P8 status line too long", answer("HTTP/1.1 200 " + filler), 502}, Method::get, {64, 9});
  feed_response({"P8 too many fields", answer("HTTP/1.1 200 OK", {"A: b", "C: d"}), 502}, Method::get, {640, 1});
}

TEST_CASE("The parts of a status line come apart") {
  const std::string text = answer("HTTP/1.0 404 Not  Found ", {"A: b"});
  const ResponseHead& head = good_response(text);
  CHECK(head.status == 404);
  CHECK(head.reason == "Not  Found ");
  CHECK(head.version == Version::http10);
  CHECK(good_response("HTTP/1.1 200\r\n\r\n").reason.empty());
}

TEST_CASE("Where a response ends depends on what it answers (P18)") {
  const std::string plain = answer("HTTP/1.1 200 OK"), length = answer("HTTP/1.1 200 OK", {"Content-Length: 7"});
  CHECK(good_response(plain).framing.kind == Framing::Kind::until_close);
  CHECK(good_response(length).framing == Framing{Framing::Kind::length, 7});
  CHECK(good_response(length, Method::head).framing == Framing{});
  CHECK(good_response(plain, Method::head).framing == Framing{});
  CHECK(good_response(plain, Method::connect).framing == Framing{});
}

TEST_CASE("A connection is kept after a response only if both its version and its framing allow it (P26)") {
  const auto reusable = [](std::string_view line, std::initializer_list<std::string_view> fields) {
    return good_response(answer(line, fields)).keep_alive;
  };
  CHECK(reusable("HTTP/1.1 200 OK", {"Content-Length: 0"}));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK", {"Content-Length: 0", "Connection: close"}));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK", {}));
  CHECK_FALSE(reusable("HTTP/1.0 200 OK", {"Content-Length: 0"}));
  CHECK(reusable("HTTP/1.0 200 OK", {"Content-Length: 0", "Connection: keep-alive"}));
  CHECK_FALSE(reusable("HTTP/1.0 200 OK", {"Connection: keep-alive"}));
  CHECK(reusable("HTTP/1.1 204 No Content", {}));
}
