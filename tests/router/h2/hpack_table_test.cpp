#include "router/h2/hpack_table.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <random>
#include <string>
#include <utility>

using namespace gray::h2;

namespace {

HeaderField plain_field(std::string_view name, std::string_view value) { return {name, value, traits_of_name(name)}; }

}  // namespace

TEST_CASE("The static table has the entries of the RFC") {
  CHECK(static_entry(1).name == ":authority");
  CHECK(static_entry(2).value == "GET");
  CHECK(static_entry(8).value == "200");
  CHECK(static_entry(14).value == "500");
  CHECK(static_entry(16).name == "accept-encoding");
  CHECK(static_entry(16).value == "gzip, deflate");
  CHECK(static_entry(32).name == "cookie");
  CHECK(static_entry(32).traits.id == gray::http::Name::cookie);
  CHECK(static_entry(57).traits.kind == NameKind::connection_specific);
  CHECK(static_entry(61).name == "www-authenticate");
}

TEST_CASE("Every name of the static table is found by its first index") {
  for (std::uint32_t index = kStaticEntries; index > 0; --index) {
    const std::uint32_t found = static_name(static_entry(index).name);
    REQUIRE(found > 0);
    CHECK(found <= index);
    CHECK(static_entry(found).name == static_entry(index).name);
  }
  CHECK(static_name(":status") == 8);
  CHECK(static_name("Content-Type") == 31);
  for (const char* name : {"", "x-request-id", "content-typf", "contens-type", ":", "grpc-status"}) {
    CHECK_MESSAGE(static_name(name) == 0, name);
  }
}

TEST_CASE("A table takes memory with its first entry and gives it back with its last one") {
  HpackTable table;
  CHECK(table.memory() == 0);
  table.insert(plain_field("name", "value"));
  CHECK(table.memory() > 0);
  CHECK(table.size() == 4 + 5 + 32);
  table.resize(0);
  CHECK(table.memory() == 0);
  CHECK(table.count() == 0);
  table.resize(4096);
  table.insert(plain_field("name", "value"));
  CHECK(table.at(1).name == "name");
  table.insert(plain_field("name", std::string(4096, 'x')));  // larger than the table: it empties it
  CHECK(table.count() == 0);
  CHECK(table.memory() == 0);
}

TEST_CASE("A table with entries has at most one and a half times its limit, and its records") {
  HpackTable table;
  for (int i = 0; i < 1000; ++i) table.insert(plain_field("name", std::string(1 + i % 900, 'x')));
  CHECK(table.memory() <= 6144 + 128 * 12);
}

TEST_CASE("A table does the same as a list of pairs, whatever is inserted and resized") {
  const unsigned seed = std::random_device{}();
  INFO("seed ", seed);
  std::mt19937 random(seed);
  HpackTable table;
  std::deque<std::pair<std::string, std::string>> model;
  std::size_t max = 4096;
  const auto size = [&model] {
    std::size_t sum = 0;
    for (const auto& [name, value] : model) sum += name.size() + value.size() + 32;
    return sum;
  };
  for (int step = 0; step < 20000; ++step) {
    if (random() % 50 == 0) {
      max = random() % 3 == 0 ? 4096 : random() % 4097;
      table.resize(max);
    } else {
      const std::string name(random() % 20, static_cast<char>('a' + random() % 26));
      const std::string value(random() % (random() % 20 == 0 ? 5000 : 60), static_cast<char>('a' + random() % 26));
      table.insert(plain_field(name, value));
      model.emplace_front(name, value);
    }
    while (size() > max) model.pop_back();
    REQUIRE(table.count() == model.size());
    REQUIRE(table.size() == size());
    if (model.empty()) {
      REQUIRE(table.memory() == 0);
      continue;
    }
    for (const std::size_t at : {std::size_t{0}, model.size() - 1, random() % model.size()}) {
      const HeaderField field = table.at(static_cast<std::uint32_t>(at + 1));
      REQUIRE(field.name == model[at].first);
      REQUIRE(field.value == model[at].second);
    }
  }
}

TEST_CASE("A name is found in any case, and no other one is taken for it") {
  for (std::uint32_t index = 1; index <= kStaticEntries; ++index) {
    const std::string name(static_entry(index).name);
    std::string upper = name;
    for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    CHECK(static_name(upper) == static_name(name));
    for (std::size_t i = 0; i < name.size(); ++i) {
      for (const char c : {'a', 'z', '-', '_', '^', '~', '.', '1'}) {
        std::string other = name;
        other[i] = c;
        const std::uint32_t found = static_name(other);
        CHECK((found == 0 || static_entry(found).name == other));
      }
    }
    CHECK((static_name(name + "s") == 0 || static_entry(static_name(name + "s")).name == name + "s"));
  }
}
