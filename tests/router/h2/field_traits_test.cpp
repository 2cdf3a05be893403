#include "router/h2/field_traits.hpp"

#include <doctest/doctest.h>

using namespace gray::h2;
using gray::http::Name;

TEST_CASE("A name is judged alone") {
  CHECK(traits_of_name("accept").kind == NameKind::regular);
  CHECK(traits_of_name("accept").id == Name::other);
  CHECK(traits_of_name("cookie").id == Name::cookie);
  CHECK(traits_of_name(":method").kind == NameKind::method);
  CHECK(traits_of_name(":scheme").kind == NameKind::scheme);
  CHECK(traits_of_name(":authority").kind == NameKind::authority);
  CHECK(traits_of_name(":path").kind == NameKind::path);
  CHECK(traits_of_name(":status").kind == NameKind::status);
  CHECK(traits_of_name(":protocol").kind == NameKind::unknown_pseudo);
  CHECK(traits_of_name(":").kind == NameKind::unknown_pseudo);
  CHECK(traits_of_name(":Method").kind == NameKind::unknown_pseudo);
  CHECK(traits_of_name("").kind == NameKind::empty);
  CHECK(traits_of_name("Accept").kind == NameKind::uppercase);
  CHECK(traits_of_name("x-Y").kind == NameKind::uppercase);
  for (const char* name : {"a b", "a:", "a\n", "a\r\nb", "caf\xc3\xa9", "a(", " a"}) {
    CHECK_MESSAGE(traits_of_name(name).kind == NameKind::invalid, name);
  }
  CHECK(traits_of_name(std::string_view("a\0b", 3)).kind == NameKind::invalid);
  for (const char* name : {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"}) {
    CHECK_MESSAGE(traits_of_name(name).kind == NameKind::connection_specific, name);
  }
  CHECK(traits_of_name("te").kind == NameKind::regular);
}

TEST_CASE("A value has no control byte and no blank at its ends") {
  for (const char* value : {"", "a", "a b", "a\tb", "caf\xc3\xa9"}) CHECK_MESSAGE(is_valid_value(value), value);
  for (const char* value : {" a", "a ", "\ta", "a\t", " ", "a\nb", "a\rb", "a\r\nb", "a\x7f", "\x01"}) {
    CHECK_MESSAGE(!is_valid_value(value), value);
  }
  CHECK(!is_valid_value(std::string_view("a\0b", 3)));
}
