#include <doctest/doctest.h>

#include <vector>

#include "router/http/characters.hpp"
#include "router/wire/framing.hpp"

using namespace gray::http;

namespace {

FramingFields coded(std::string_view coding) { return {0, {}, 1, coding, 1}; }
FramingFields sized(std::string_view length) { return {1, length, 0, {}, 1}; }

}  // namespace

TEST_CASE("A content length is digits and nothing else, within 64 bits (P17)") {
  std::uint64_t value = 0;
  CHECK((parse_content_length("0", value) && value == 0));
  CHECK((parse_content_length("00", value) && value == 0));
  CHECK((parse_content_length("0200", value) && value == 200));
  CHECK((parse_content_length("18446744073709551615", value) && value == 18446744073709551615ULL));
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "-0", "0x1", "1_0", "1 0", "1,1", "1.0", "1a", "\xb1",
                          "18446744073709551616", "99999999999999999999", "184467440737095516150"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_content_length(bad, value));
  }
}

TEST_CASE("A request is framed by one field or none (P15, P17)") {
  CHECK(frame_request({}).framing == Framing{});
  CHECK(frame_request(sized("12")).framing == Framing{Framing::Kind::length, 12});
  CHECK(frame_request(coded("chunked")).framing == Framing{Framing::Kind::chunked, 0});
  CHECK(frame_request({1, "1", 1, "chunked", 1}).rule == std::string_view("P15"));
  CHECK(frame_request({1, "1", 1, "chunked", 0}).rule == std::string_view("P16"));
  CHECK(frame_request({2, "1", 0, {}, 1}).status == 400);
  CHECK(frame_request({0, {}, 2, "chunked", 1}).status == 400);
  CHECK(frame_request({0, {}, 1, "chunked", 0}).status == 400);
}

TEST_CASE("A transfer coding other than chunked is unknown or malformed (P16)") {
  struct Case {
    const char* coding;
    int status;
  };
  const std::vector<Case> cases = {
      {"CHUNKED", 0},
      {"gzip", 501},
      {"xchunked", 501},
      {"chunkedx", 501},
      {"gzip, chunked", 501},
      {"gzip,deflate", 501},
      {"", 400},
      {"identity", 400},
      {"chunked, chunked", 400},
      {"chunked,gzip", 400},
      {"chunked, identity", 400},
      {"identity, chunked", 400},
      {"chunked;a=b", 400},
      {"\"chunked\"", 400},
      {",chunked", 400},
      {"chunked,", 400},
      {"gzip;q=1", 400},
      {"chunked chunked", 400},
      {"chunked, gzip, chunked", 400},
      {"'chunked'", 501},
  };
  for (const Case& test : cases) {
    CAPTURE(test.coding);
    CHECK(frame_request(coded(test.coding)).status == test.status);
    CHECK(frame_response(coded(test.coding), 200, false, false).status == (test.status == 0 ? 0 : 502));
  }
}

TEST_CASE("Transfer codings are read up to their bound (P16)") {
  const auto codings = [](std::uint32_t count, const std::string& behind) {
    std::string list = "gzip";
    for (std::uint32_t i = 1; i < count; ++i) list += ",gzip";
    return list + behind;
  };
  const std::string fits = codings(kMaxListMembers, ""), more = codings(kMaxListMembers + 1, "");
  CHECK(frame_request(coded(fits)).status == 501);
  CHECK(frame_request(coded(more)).status == 400);
  CHECK(frame_response(coded(more), 200, false, false).status == 502);
  for (const std::string behind : {"", ",identity", ",\""}) {  // what is behind the bound is not read
    const FramingResult refused = frame_request(coded(codings(kMaxListMembers + 1, behind)));
    CHECK(std::string_view(refused.text) == "too many transfer codings");
    CHECK(std::string_view(refused.rule) == "P16");
  }
}

TEST_CASE("A response without body has none whatever its fields say (P18)") {
  for (const FramingFields& fields : {FramingFields{}, sized("5"), coded("chunked")}) {
    for (const int status : {100, 101, 103, 199, 204, 304}) {
      CHECK(frame_response(fields, status, false, false).framing == Framing{});
    }
    CHECK(frame_response(fields, 200, true, false).framing == Framing{});
    CHECK(frame_response(fields, 200, false, true).framing == Framing{});
    CHECK(frame_response(fields, 404, false, true).framing != Framing{});
  }
}

TEST_CASE("A response with a body ends by chunk, by length, or with the connection (P18)") {
  CHECK(frame_response(coded("chunked"), 200, false, false).framing.kind == Framing::Kind::chunked);
  CHECK(frame_response(sized("5"), 500, false, false).framing == Framing{Framing::Kind::length, 5});
  CHECK(frame_response({}, 200, false, false).framing.kind == Framing::Kind::until_close);
}

TEST_CASE("Fields of a response that contradict each other are an upstream's fault, body or not (P15, P17)") {
  for (const bool head_request : {false, true}) {
    CHECK(frame_response({1, "5", 1, "chunked", 1}, 200, head_request, false).status == 502);
    CHECK(frame_response({2, "5", 0, {}, 1}, 200, head_request, false).status == 502);
    CHECK(frame_response(sized("five"), 200, head_request, false).status == 502);
  }
}
