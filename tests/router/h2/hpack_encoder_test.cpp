#include "router/h2/hpack_encoder.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/router/h2/field_list.hpp"
#include "tests/router/h2/hex.hpp"

using namespace gray::h2;

namespace {

std::string encoded_field(std::string_view name, std::string_view value) {
  std::string out(field_bound(name.size(), value.size()), '?');
  const char* end = encode_field(name, value, out.data());
  REQUIRE(end <= out.data() + out.size());
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

std::string encoded_status(int status) {
  std::string out(kStatusBound, '?');
  out.resize(static_cast<std::size_t>(encode_status(status, out.data()) - out.data()));
  return out;
}

std::string decoded_again(std::string_view block) {
  HpackDecoder decoder;
  StringRoom room(64 * 1024);
  FieldList list;
  REQUIRE(decoder.decode(block, room, list) == nullptr);
  CHECK(decoder.table().memory() == 0);
  return list.text;
}

std::string encoded_integer(std::uint32_t value, unsigned bits) {
  std::string out(6, '?');
  out.resize(static_cast<std::size_t>(encode_integer(value, bits, 0, out.data()) - out.data()));
  return out;
}

}  // namespace

TEST_CASE("RFC 7541 C.1: integers") {
  CHECK(encoded_integer(10, 5) == from_hex("0a"));
  CHECK(encoded_integer(1337, 5) == from_hex("1f9a0a"));
  CHECK(encoded_integer(42, 8) == from_hex("2a"));
  CHECK(encoded_integer(127, 7) == from_hex("7f00"));
}

TEST_CASE("A usual status is one byte, another one five") {
  for (const int status : {200, 204, 206, 304, 400, 404, 500}) CHECK(encoded_status(status).size() == 1);
  for (int status = 100; status < 600; ++status) {
    CHECK(decoded_again(encoded_status(status)) == ":status: " + std::to_string(status) + "\n");
  }
}

TEST_CASE("A field is a literal that is never inserted, its name in lower case") {
  CHECK(encoded_field("Content-Type", "text/html") == from_hex("0f10 09") + "text/html");
  CHECK(decoded_again(encoded_field("Content-Type", "text/html")) == "content-type: text/html\n");
  CHECK(decoded_again(encoded_field("X-Request-ID", "")) == "x-request-id: \n");
  const std::string large(40000, 'v');
  CHECK(decoded_again(encoded_field("x", large)) == "x: " + large + "\n");
  CHECK(decoded_again(encoded_field(std::string(500, 'N'), "v")) == std::string(500, 'n') + ": v\n");
}

TEST_CASE("Cookies and credentials are marked as never to be indexed") {
  for (const char* name : {"set-cookie", "Cookie", "authorization", "proxy-authorization"}) {
    CHECK((encoded_field(name, "v")[0] & 0xf0) == 0x10);
  }
  CHECK((encoded_field("etag", "v")[0] & 0xf0) == 0);
}
