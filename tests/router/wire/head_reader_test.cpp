#include <doctest/doctest.h>

#include <vector>

#include "router/http/characters.hpp"
#include "router/wire/head_reader.hpp"
#include "tests/router/wire/feeding.hpp"

using namespace gray::http;

namespace {

std::string with(std::string_view lines) { return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n"; }

}  // namespace

TEST_CASE("A field line is a token, a colon and text, ended by CRLF (P10, P11, P12, P13, P14)") {
  const std::vector<HeadCase> cases = {
      {"P10 space before the colon", with("X : y\r\n"), 400},
      {"P10 tab before the colon", with("X\t: y\r\n"), 400},
      {"P10 space inside a name", with("X Y: z\r\n"), 400},
      {"P11 obs-fold", with("X: y\r\n z\r\n"), 400},
      {"P11 obs-fold by tab", with("X: y\r\n\tz\r\n"), 400},
      {"P12 bare LF behind a value", with("X: y\nZ: z\r\n"), 400},
      {"P12 bare LF inside a name", with("X\nY: z\r\n"), 400},
      {"P12 bare CR inside a value", with("X: y\rz\r\n"), 400},
      {"P12 CR CR LF", with("X: y\r\r\n"), 400},
      {"P12 bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"P12 bare CR as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", 400},
      {"P13 whitespace before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"P14 empty name", with(": y\r\n"), 400},
      {"P14 no colon", with("X\r\n"), 400},
      {"P14 name with a separator", with("X(: y\r\n"), 400},
      {"P14 name with obs-text", with("X\xe9: y\r\n"), 400},
      {"P14 name with NUL", with(std::string_view("X\0: y\r\n", 7)), 400},
      {"P14 NUL in a value", with(std::string_view("X: y\0z\r\n", 8)), 400},
      {"P14 NUL far inside a value", with(std::string_view("X: 0123456789abcdefghijklmnop\0z\r\n", 33)), 400},
      {"P14 control byte in a value", with("X: y\x01\r\n"), 400},
      {"P14 DEL in a value", with("X: 0123456789abcdefghi\x7f\r\n"), 400},
      {"P14 escape byte", with("X: \x1b[31m\r\n"), 400},
      {"P14 obs-text in a value", with("X: caf\xe9 0123456789 \xff\x80\r\n"), 0},
      {"P14 tab inside a value", with("X: 0123456789\tabcdefgh\r\n"), 0},
      {"P14 empty value", with("X:\r\nY: \t \r\n"), 0},
      {"P14 every token character", with("!#$%&'*+-.^_`|~09azAZ: y\r\n"), 0},
  };
  for (const HeadCase& test : cases) feed_request(test);
}

TEST_CASE("Values come without the blanks around them") {
  const std::string text = with("A:b\r\nC: \t d e\t \r\nF:\r\n");
  const RequestHead& head = good_request(text);
  REQUIRE(head.fields.count == 4);
  CHECK(head.fields.find("a")->value == "b");
  CHECK(head.fields.find("c")->value == "d e");
  CHECK(head.fields.find("f")->value.empty());
}

TEST_CASE("Connection, TE and Upgrade may list a few members but not a flood of them (P1)") {
  for (const std::string name : {"Connection", "TE", "upgrade"}) {
    CAPTURE(name);
    const auto line = [&](std::uint32_t count) {
      std::string list = name + ": a";
      for (std::uint32_t i = 1; i < count; ++i) list += ",a";
      return list + "\r\n";
    };
    feed_request({"P1 as many as allowed", with(line(kMaxListMembers)), 0});
    feed_request({"P1 one more", with(line(kMaxListMembers + 1)), 400});
    feed_request({"P1 one more in two fields", with(line(kMaxListMembers) + line(1)), 400});
    feed_response({"P1 as many as allowed", "HTTP/1.1 204 \r\n" + line(kMaxListMembers) + "\r\n", 0});
    feed_response({"P1 one more", "HTTP/1.1 204 \r\n" + line(kMaxListMembers + 1) + "\r\n", 502});
  }
}

TEST_CASE("A list is read up to its bound, however long it is (P1)") {
  for (const std::string name : {"Connection", "TE", "Upgrade"}) {
    for (const std::size_t members : {100, 15'000}) {
      std::string line = name + ": trailers";
      for (std::size_t i = 1; i < members; ++i) line += ",a";
      line += "\r\n\r\n";
      Fault fault;
      HeadReader reader(line, fault);
      Noted noted;
      CHECK(read_fields(reader, 1, shared_request().fields, noted) == Parse::fault);
      CHECK(noted.connection_options + noted.codings + noted.protocols == kMaxListMembers + 1);
    }
  }
}

TEST_CASE("A list that the router does not read has no bound of its own") {
  std::string list = "a";
  for (int i = 1; i < 5'000; ++i) list += ",a";
  for (const std::string name : {"Accept", "Via", "Trailer", "Forwarded", "X-Forwarded-For", "Keep-Alive"})
    good_request(with(name + ": " + list + "\r\n"));
}
