#include "router/h2/head_builder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "router/wire/head.hpp"

using namespace gray;
using namespace gray::h2;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const Pairs kGet{{":method", "GET"}, {":scheme", "https"}, {":path", "/a?b=c"}, {":authority", "example.com"}};

Pairs with(Pairs first, const Pairs& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// kGet with another value of one field.
Pairs changed(const std::string& name, const std::string& value) {
  Pairs pairs = kGet;
  for (auto& pair : pairs) {
    if (pair.first == name) pair.second = value;
  }
  return pairs;
}

Pairs without(const std::string& name) {
  Pairs pairs;
  for (const auto& pair : kGet) {
    if (pair.first != name) pairs.push_back(pair);
  }
  return pairs;
}

struct Built {
  std::string text;
  Refusal refusal;
  std::optional<std::uint64_t> length;
};

Built built(const Pairs& pairs, bool end_stream = true, http::HeadLimits limits = {},
            HeadBuilder::Section section = HeadBuilder::Section::request) {
  HeadRoom room(limits);
  HeadBuilder builder(room, section);
  for (const auto& [name, value] : pairs) {
    FieldTraits traits = traits_of_name(name);
    traits.valid_value = is_valid_value(value);
    builder.field({name, value, traits});
  }
  Built result;
  result.refusal = builder.finish(end_stream);
  if (!result.refusal) result.text = builder.text();
  result.length = builder.content_length();
  return result;
}

bool is_malformed(const Pairs& pairs, bool end_stream = true) {
  return built(pairs, end_stream).refusal.as == Refusal::As::stream_error;
}

int answered_with(const Pairs& pairs, http::HeadLimits limits = {}) {
  const Refusal refusal = built(pairs, true, limits).refusal;
  return refusal.as == Refusal::As::answer ? refusal.status : 0;
}

http::Parse parsed(const std::string& text, http::RequestHead& head, const http::HeadLimits& limits = {}) {
  http::Fault fault;
  return http::parse_request(text, limits, head, fault);
}

}  // namespace

TEST_CASE("A request becomes a head of HTTP/1.1 that the parser accepts") {
  const Built result = built(with(kGet, {{"accept", "*/*"}, {"x-empty", ""}}));
  CHECK(result.text == "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\naccept: */*\r\nx-empty: \r\n\r\n");
  const auto head = std::make_unique<http::RequestHead>();
  REQUIRE(parsed(result.text, *head) == http::Parse::complete);
  CHECK(head->bytes.size() == result.text.size());
  CHECK(head->authority == "example.com");
  CHECK(head->body.kind == http::Body::Kind::none);
}

TEST_CASE("The order of pseudo-fields does not matter") {
  CHECK(built({{":path", "/"}, {":authority", "a"}, {":scheme", "http"}, {":method", "PUT"}}).text ==
        "PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_CASE("The body is framed by Content-Length if there is one, else by chunks") {
  CHECK(built(changed(":method", "POST"), false).text ==
        "POST /a?b=c HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n");
  const Built sized = built(with(changed(":method", "POST"), {{"content-length", "5"}}), false);
  CHECK(sized.text == "POST /a?b=c HTTP/1.1\r\nHost: example.com\r\ncontent-length: 5\r\n\r\n");
  CHECK(sized.length == 5);
  CHECK(built(with(kGet, {{"content-length", "0"}})).length == 0);
  CHECK(is_malformed(with(kGet, {{"content-length", "5"}})));  // and END_STREAM
}

TEST_CASE("A Content-Length that is no number, or comes twice, is for the parser to refuse") {
  for (const Pairs& lengths : {Pairs{{"content-length", "+5"}}, Pairs{{"content-length", "5"}, {"content-length", "5"}},
                               Pairs{{"content-length", ""}}, Pairs{{"content-length", "99999999999999999999"}}}) {
    const Built result = built(with(kGet, lengths), false);
    CHECK(!result.length.has_value());
    const auto head = std::make_unique<http::RequestHead>();
    CHECK(parsed(result.text, *head) == http::Parse::fault);
  }
}

TEST_CASE("Cookie crumbs become one field, wherever they are") {
  CHECK(built(with(kGet, {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2; c=3"}, {"cookie", "d=4"}})).text ==
        "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nx: y\r\nCookie: a=1; b=2; c=3; d=4\r\n\r\n");
}

TEST_CASE("Host is written once, from :authority if there is one") {
  CHECK(built(with(kGet, {{"host", "EXAMPLE.com"}})).text == "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n\r\n");
  CHECK(built(with(without(":authority"), {{"host", "b"}})).text == "GET /a?b=c HTTP/1.1\r\nhost: b\r\n\r\n");
  CHECK(answered_with(with(kGet, {{"host", "other.com"}})) == 400);
  CHECK(answered_with(with(kGet, {{"host", "example.com"}, {"host", "example.com"}})) == 400);
  CHECK(answered_with(with(without(":authority"), {{"host", "b"}, {"host", "b"}})) == 400);
  const auto head = std::make_unique<http::RequestHead>();
  CHECK(parsed(built(without(":authority")).text, *head) == http::Parse::fault);               // no Host
  CHECK(parsed(built(changed(":authority", "")).text, *head) == http::Parse::fault);           // an empty one
  CHECK(parsed(built(changed(":authority", "user@host")).text, *head) == http::Parse::fault);  // with a user
  CHECK(parsed(built(changed(":authority", "a b")).text, *head) == http::Parse::fault);
}

TEST_CASE("Pseudo-fields are complete, known, single and in front") {
  CHECK(is_malformed(without(":method")));
  CHECK(is_malformed(without(":scheme")));
  CHECK(is_malformed(without(":path")));
  for (const auto& pair : kGet) CHECK(is_malformed(with(kGet, {pair})));
  CHECK(is_malformed(with(kGet, {{":status", "200"}})));
  CHECK(is_malformed(with(kGet, {{":protocol", "websocket"}})));
  CHECK(is_malformed(with(kGet, {{":x", "y"}})));
  CHECK(is_malformed({{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":path", "/"}}));
  CHECK(is_malformed({}));
}

TEST_CASE("A pseudo-field has a value that its place in the text allows") {
  CHECK(is_malformed(changed(":path", "")));
  CHECK(answered_with(changed(":path", "a")) == 400);
  CHECK(answered_with(changed(":path", "http://b/")) == 400);
  CHECK(answered_with(changed(":path", "/a HTTP/1.1")) == 400);
  CHECK(answered_with(changed(":path", "/a#b")) == 400);
  CHECK(is_malformed(changed(":path", "/a\r\nx: y")));
  CHECK(answered_with(changed(":path", "*")) == 400);
  CHECK(built({{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}}).text ==
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(is_malformed(changed(":method", "")));
  CHECK(is_malformed(changed(":method", "GET / HTTP/1.1")));
  CHECK(is_malformed(changed(":method", "G\nET")));
  CHECK(answered_with(changed(":method", "CONNECT")) == 501);
  CHECK(answered_with({{":method", "CONNECT"}, {":authority", "a:1"}}) == 501);
  CHECK(answered_with(changed(":scheme", "ftp")) == 400);
  CHECK(answered_with(changed(":scheme", "")) == 400);
  CHECK(built(changed(":scheme", "HTTP")).text.starts_with("GET"));
}

TEST_CASE("A field has a name and a value that HTTP/1.1 would read as the same") {
  for (const char* name : {"", "X", "a b", "a:b", "a\r\nb", "connection", "keep-alive", "proxy-connection",
                           "transfer-encoding", "upgrade"}) {
    CHECK_MESSAGE(is_malformed(with(kGet, {{name, "v"}})), name);
  }
  for (const char* value : {"a\nb", "a\r\nx: y", " a", "a\t", "a\x7f"}) {
    CHECK_MESSAGE(is_malformed(with(kGet, {{"x", value}})), value);
  }
  CHECK(is_malformed(with(kGet, {{"x", std::string("a\0b", 3)}})));
  CHECK(is_malformed(with(kGet, {{"te", "gzip"}})));
  CHECK(is_malformed(with(kGet, {{"te", "trailers, gzip"}})));
  CHECK(is_malformed(with(kGet, {{"te", "Trailers"}})));
  CHECK(built(with(kGet, {{"te", "trailers"}})).text.ends_with("te: trailers\r\n\r\n"));
}

TEST_CASE("The size of the list is bounded, with 32 bytes for each field") {
  const http::HeadLimits limits{1000, 100};
  std::size_t size = 0;
  for (const auto& [name, value] : kGet) size += name.size() + value.size() + 32;
  const std::string fits(1000 - size - 33, 'v');
  CHECK(!built(with(kGet, {{"x", fits}}), true, limits).refusal);
  CHECK(answered_with(with(kGet, {{"x", fits + "v"}}), limits) == 431);
  Pairs empty;
  for (int i = 0; i < 40; ++i) empty.emplace_back("a", "");
  CHECK(answered_with(with(kGet, empty), limits) == 431);
}

TEST_CASE("Crumbs count as fields") {
  const http::HeadLimits limits{32 * 1024, 10};
  Pairs crumbs;
  for (int i = 0; i < 10; ++i) crumbs.emplace_back("cookie", "a=1");
  CHECK(!built(with(kGet, crumbs), true, limits).refusal);
  CHECK(answered_with(with(kGet, with(crumbs, {{"cookie", "a=1"}})), limits) == 431);
}

TEST_CASE("What the list allows the parser allows, however it is divided") {
  const http::HeadLimits limits{2000, 100};
  const auto head = std::make_unique<http::RequestHead>();
  for (std::size_t size = 0; size < 1800; ++size) {
    const Built result = built(with(kGet, {{"cookie", std::string(size, 'c')}, {"cookie", ""}}), false, limits);
    if (result.refusal) {
      CHECK(result.refusal.status == 431);
      continue;
    }
    REQUIRE(parsed(result.text, *head, limits) == http::Parse::complete);
  }
}

TEST_CASE("The first refusal counts") {
  CHECK(built(with(kGet, {{"host", "other"}, {"X", "y"}})).refusal.status == 400);
  CHECK(built(with(kGet, {{"host", "other"}, {"X", "y"}})).refusal.as == Refusal::As::answer);
}

TEST_CASE("Trailers are lines, without pseudo-fields, and without what must not be a trailer (P21)") {
  const auto trailers = [](const Pairs& pairs) { return built(pairs, true, {}, HeadBuilder::Section::trailers); };
  CHECK(trailers({{"grpc-status", "0"}, {"x", "y"}}).text == "grpc-status: 0\r\nx: y\r\n\r\n");
  CHECK(trailers({}).text == "\r\n");
  CHECK(trailers({{"content-length", "5"}, {"host", "x"}, {"x", "y"}}).text == "x: y\r\n\r\n");
  CHECK(trailers({{":path", "/"}}).refusal.as == Refusal::As::stream_error);
  CHECK(trailers({{"X", "y"}}).refusal.as == Refusal::As::stream_error);
  CHECK(trailers({{"connection", "y"}}).refusal.as == Refusal::As::stream_error);
  Pairs many;
  for (int i = 0; i < 101; ++i) many.emplace_back("a", "b");
  CHECK(trailers(many).refusal.as == Refusal::As::stream_error);
}
