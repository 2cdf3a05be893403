#include "control/grayctl/top/keys.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace gray::control {
namespace {

Controls pressed(std::string_view keys, Controls controls = {}) {
  press(controls, keys);
  return controls;
}

}  // namespace

TEST_CASE("each key does one thing") {
  CHECK(pressed("q") == Controls{.quit = true});
  CHECK(pressed("p") == Controls{.paused = true});
  CHECK(pressed(" ") == Controls{.paused = true});
  CHECK(pressed("p ") == Controls{});
  CHECK(pressed("?") == Controls{.help = true});
  CHECK(pressed("s").sort == SortBy::weight);
  CHECK(pressed("sS") == Controls{});
  CHECK(pressed("S").sort == SortBy::memory);
  CHECK(pressed("/").typing);
  CHECK(pressed("qp") == Controls{.quit = true});
}

TEST_CASE("a key without a meaning does nothing") {
  for (const std::string keys : {"x", "Q", "\t", "\x01", "\x7f", "\r", "\xc3\xa4", "\x1b[A", "\x1b[1;5C", "\x1bOP",
                                 "\x1b", "\x1bq", "\x1b[", "\x1b[200~"})
    CHECK(pressed(keys) == Controls{});
  CHECK(pressed(std::string("\0", 1)) == Controls{});
  CHECK(pressed("\x1b[Aq") == Controls{.quit = true});
}

TEST_CASE("a filter is typed, corrected, kept or dropped") {
  CHECK(pressed("/qs p") == Controls{.filter = "qs p", .typing = true});
  CHECK(pressed("/v2\r") == Controls{.filter = "v2"});
  CHECK(pressed("/v2\x7f"
                "3\n") == Controls{.filter = "v3"});
  CHECK(pressed("/\x7f\x7f"
                "a\r") == Controls{.filter = "a"});
  CHECK(pressed("/abc\x15"
                "d\r") == Controls{.filter = "d"});
  CHECK(pressed("\x1b", pressed("/v2")) == Controls{});
  CHECK(pressed("/v\x1b[A\x01\xff"
                "2\r") == Controls{.filter = "v2"});
  CHECK(pressed("/" + std::string(100, 'a') + "\r").filter.size() == Controls::kLongestFilter);
}

TEST_CASE("every column has a name, and s comes back to the first") {
  std::set<std::string> names;
  Controls controls;
  do {
    names.insert(name_of(controls.sort));
    press(controls, "s");
  } while (controls.sort != SortBy::service);
  CHECK(names.size() == static_cast<std::size_t>(SortBy::count));
}

TEST_CASE("each word of a filter is a part of the service or the version, in any case") {
  CHECK(matches({}, "web", "v2"));
  CHECK(matches({.filter = "V2"}, "Web", "v2"));
  CHECK(matches({.filter = "web v2"}, "web", "v2"));
  CHECK(matches({.filter = "  "}, "web", "v2"));
  CHECK_FALSE(matches({.filter = "v3"}, "web", "v2"));
  CHECK_FALSE(matches({.filter = "web v3"}, "web", "v2"));
}

}  // namespace gray::control
