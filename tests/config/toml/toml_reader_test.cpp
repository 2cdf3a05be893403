#include "config/toml/toml_reader.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace gray;

namespace {

/// The problems of `text` after `use` has read it.
std::vector<Diagnostic> problems(const char* text, const std::function<void(TomlReader&)>& use) {
  const toml::table table = toml::parse(text);
  TomlFile file;
  file.folder = "/base";
  {
    TomlReader reader(table, file);
    use(reader);
  }
  explain_unknown_keys(file);
  return file.problems;
}

}  // namespace

TEST_CASE("a key that is absent or wrong does not change the default") {
  std::uint32_t number = 7;
  Duration duration{7};
  std::string text = "seven";
  const auto found = problems("b = 'x'\nc = 'y'\nd = 1", [&](TomlReader& reader) {
    reader.number("a", number, 0, 10);
    reader.number("b", number, 0, 10);
    reader.duration("c", duration);
    reader.text("d", text);
  });
  CHECK(found.size() == 3);
  CHECK(number == 7);
  CHECK(duration == Duration{7});
  CHECK(text == "seven");
}

TEST_CASE("an unknown key is reported at its name, with the nearest known key") {
  const auto found = problems("nmae = 1\nother = 2", [](TomlReader& reader) {
    std::string name;
    reader.text("name", name);
  });
  REQUIRE(found.size() == 2);
  CHECK(found[0] == Diagnostic{1, 1, "unknown key \"nmae\", did you mean \"name\"?"});
  CHECK(found[1] == Diagnostic{2, 1, "unknown key \"other\""});
}

TEST_CASE("an absent table reads as empty, and a value that is not a table is reported once") {
  const auto found = problems("b = 1", [](TomlReader& reader) {
    for (const char* key : {"a", "b"}) {
      TomlReader table(reader, key);
      CHECK(table.names().empty());
    }
  });
  REQUIRE(found.size() == 1);
  CHECK(found[0] == Diagnostic{1, 5, "expected a table, found an integer"});
}

TEST_CASE("names come in the order of the file and count as known") {
  CHECK(problems("z = 1\na = 2\nm = 3", [](TomlReader& reader) {
          CHECK(reader.names() == std::vector<std::string>{"z", "a", "m"});
        }).empty());
}

TEST_CASE("errors about an absent key are reported at its table") {
  const auto found = problems("[x]\ny = 1\n[t]", [](TomlReader& reader) {
    TomlReader x(reader, "x");
    TomlReader t(reader, "t");
    x.names();
    x.error("y", "at the value");
    x.error_at_name("y", "at the name");
    t.error("gone", "at the table");
  });
  CHECK(found == std::vector<Diagnostic>{{2, 5, "at the value"}, {2, 1, "at the name"}, {3, 1, "at the table"}});
}

TEST_CASE("a file records which keys were read and which are present in any table of a kind") {
  const toml::table table = toml::parse("[one]\na = 1\n[two]\n");
  TomlFile file;
  file.folder = "/base";
  {
    TomlReader root(table, file);
    for (const char* name : {"one", "two", "three"}) {
      TomlReader reader(root, name, "t");
      std::uint32_t number = 0;
      reader.number("a", number, 0, 1);
      reader.number("b", number, 0, 1);
    }
  }
  CHECK(file.keys ==
        std::map<std::string, bool>{{"one", true}, {"two", true}, {"three", false}, {"t.a", true}, {"t.b", false}});
}

TEST_CASE("relative paths begin in the folder of the file, absolute ones stay") {
  CHECK(anchored("/base", "a/./b/") == "/base/a/b");
  CHECK(anchored("/base", "../a") == "/a");
  CHECK(anchored("/base", "/x/y") == "/x/y");
  CHECK(anchored("/base", ".") == "/base");
  CHECK(anchored("/base", "..") == "/");
}
