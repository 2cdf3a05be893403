#include "router/http/message.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <memory>

using namespace gray::http;

namespace {

std::unique_ptr<Fields> fields_of(std::initializer_list<Field> given) {
  auto fields = std::make_unique<Fields>();
  for (const Field& field : given) fields->items[fields->count++] = field;
  return fields;
}

}  // namespace

TEST_CASE("Fields are found by name and by id, the first of several") {
  const auto fields = fields_of({{Name::host, "Host", "a"},
                                 {Name::other, "X-A", "1"},
                                 {Name::other, "x-a", "2"},
                                 {Name::via, "Via", "v"},
                                 {Name::via, "Via", "w"}});
  CHECK(fields->find("X-a")->value == "1");
  CHECK(fields->find(Name::via)->value == "v");
  CHECK(fields->find("X-B") == nullptr);
  CHECK(fields->find(Name::cookie) == nullptr);
}

TEST_CASE("Options of Connection are found in every field of that name") {
  const auto fields = fields_of({{Name::connection, "Connection", "x, Y"},
                                 {Name::other, "A", "z"},
                                 {Name::connection, "connection", "Close ,u"}});
  for (const char* option : {"x", "y", "close", "U"}) CHECK(fields->connection_lists(option));
  for (const char* option : {"z", "clos", ""}) CHECK_FALSE(fields->connection_lists(option));
}

TEST_CASE("Idempotent methods are those of RFC 9110") {
  for (const Method m : {Method::get, Method::head, Method::put, Method::delete_, Method::options, Method::trace}) {
    CHECK(is_idempotent(m));
  }
  for (const Method m : {Method::post, Method::patch, Method::connect, Method::other}) CHECK_FALSE(is_idempotent(m));
}
