#include "config/settings/targeting_toml.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "config/settings/allowlist_file.hpp"
#include "tests/config/settings/toml_text.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::test;

namespace {

using Source = FieldCondition::Source;

ServiceSettings web(const std::string& lines) { return loaded(kSmallest + lines + "\n").services[0]; }

std::string errors_of(const std::string& lines) { return refused(kSmallest + lines + "\n").text; }

/// The lines of a rule, and a part of the one error that they give.
struct BadRow {
  const char* lines;
  const char* error;
};

void check_bad(const BadRow& row, const std::string& table) {
  CAPTURE(row.lines);
  const auto result = refused(kSmallest + table + row.lines + "\n");
  CHECK(result.count == 1);
  CHECK_MESSAGE(contains(result.text, row.error), result.text);
  CHECK_MESSAGE(contains(result.text, "/etc/gray/g.toml:"), result.text);
}

}  // namespace

TEST_CASE("rules are read in the order of the file") {
  const auto service = web(R"(
[[service.web.rule]]
name = "beta"
header = { X-Beta = "1", x-country = ["ch", "de"] }
cookie = { beta = true }
query = { "a b" = "" }
path = "/beta/"
client = ["10.1.2.3/8"]
[[service.web.rule]]
version = "stable"
path = ["/a", "/b"]
)");
  REQUIRE(service.rules.size() == 2);
  const Rule& first = service.rules[0];
  CHECK(first.name == "beta");
  CHECK(first.version == "canary");
  REQUIRE(first.fields.size() == 4);
  CHECK(first.fields[0] == FieldCondition{Source::header, "x-beta", {"1"}});
  CHECK(first.fields[1] == FieldCondition{Source::header, "x-country", {"ch", "de"}});
  CHECK(first.fields[2] == FieldCondition{Source::cookie, "beta", {}});
  CHECK(first.fields[3] == FieldCondition{Source::query, "a b", {""}});
  CHECK(first.paths == std::vector<std::string>{"/beta"});
  REQUIRE(first.clients.size() == 1);
  CHECK(first.clients[0].text() == "10.0.0.0/8");
  CHECK(service.rules[1].name == "#2");
  CHECK(service.rules[1].version == "stable");
  CHECK(service.rules[1].paths == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("an error in a rule says where it is and what to do") {
  const BadRow rows[] = {
      {"", "the rule has no condition"},
      {"name = 'x'\nheader = {}", "the rule has no condition"},
      {"pth = '/a'\npath = '/b'", "unknown key \"pth\", did you mean \"path\"?"},
      {"name = 'a b'\npath = '/a'", "\"a b\" is not a valid name"},
      {"version = 'v 1'\npath = '/a'", "is not a version: write \"canary\", \"stable\" or the name"},
      {"client = ['10.0.0.0/33']", "\"10.0.0.0/33\" is not an IP network such as"},
      {"client = '10.0.0.0/8'", "expected a list of strings"},
      {"path = 'beta'", "\"beta\" is not a path that begins with \"/\""},
      {"path = ['/a', '/b*']", "\"/b*\" is not a path"},
      {"header = 'x'", "expected a table, found a string"},
      {"header = { 'a b' = '1' }", "\"a b\" cannot be the name of a header"},
      {"cookie = { 'a;b' = '1' }", "\"a;b\" cannot be the name of a cookie"},
      {"query = { '' = '1' }", "\"\" cannot be the name of a query parameter"},
      {"header = { X-A = '1', x-a = '2' }", "\"x-a\" is named twice"},
      {"header = { x-a = 1 }", "write the number in quotes"},
      {"header = { x-a = false }", "false is not a condition"},
      {"header = { x-a = [] }", "the list is empty"},
      {"header = { x-a = ['1', '1'] }", "\"1\" is listed twice"},
      {"header = { x-a = ' 1' }", "is never received"},
      {"header = { x-a = \"a\\nb\" }", "is never received"},
      {"header = { x-a = [1] }", "expected a string, found an integer"},
  };
  for (const BadRow& row : rows) check_bad(row, "[[service.web.rule]]\n");
  const std::string long_value(257, 'x');
  CHECK(contains(errors_of("[[service.web.rule]]\nheader.a = '" + long_value + "'"), "at most 256 are allowed"));
  CHECK(contains(errors_of("[service.web.rule]\npath = '/a'"), "write each as [[service.web.rule]]"));
  CHECK(contains(
      errors_of("[[service.web.rule]]\npath = '/a'\nname = 'x'\n[[service.web.rule]]\npath = '/b'\nname = 'x'"),
      ":10:8: error: \"x\" is the name of an earlier rule"));
}

TEST_CASE("the bounds of rules") {
  const auto many = [](std::size_t count, const std::function<std::string(std::size_t)>& lines) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "[[service.web.rule]]\n" + lines(i) + "\n";
    return text;
  };
  const auto path = [](std::size_t i) { return "path = '/" + std::to_string(i) + "'"; };
  CHECK(web(many(kMaxRules, path)).rules.size() == kMaxRules);
  CHECK(contains(errors_of(many(kMaxRules + 1, path)), "more than 1000 of [[service.web.rule]]"));
  const auto headers = [](std::size_t i) {
    std::string line = "header = { ";
    for (int j = 0; j < 5; ++j) line += (j > 0 ? ", h" : "h") + std::to_string(i) + "-" + std::to_string(j) + " = true";
    return line + " }";
  };
  CHECK(web(many(800, headers)).rules.size() == 800);
  CHECK(contains(errors_of(many(801, headers)), "more than 4000 headers, cookies and parameters"));
  const auto networks = [](std::size_t i) {
    std::string line = "client = [";
    for (int j = 0; j < 200; ++j) line += "'10." + std::to_string(i) + "." + std::to_string(j) + ".0/24', ";
    return line + "]";
  };
  CHECK(web(many(100, networks)).rules.size() == 100);
  CHECK(contains(errors_of(many(101, networks)), "more than 20000 values, paths and networks"));
  const auto texts = [](std::size_t i) { return "path = '/" + std::to_string(i) + std::string(4'000, 'x') + "'"; };
  CHECK(contains(errors_of(many(600, texts)), "more than 2MiB of texts"));
}

TEST_CASE("a rule is compared with the earliest one of its name or conditions") {
  const std::string a = "[[service.web.rule]]\nname = 'a'\npath = '/1'\n";
  const std::string b = "[[service.web.rule]]\nname = 'b'\npath = '/2'\n";
  CHECK(contains(errors_of(a + b + "[[service.web.rule]]\nname = 'a'\npath = '/2'\n"), "\"a\" is the name of an"));
  const std::string shown = loaded(kSmallest + a + b + "[[service.web.rule]]\nname = 'b'\npath = '/1'\n").warnings.text;
  CHECK(contains(shown, "the rule \"a\" before it"));
}

TEST_CASE("what is valid, but probably not meant, is a warning") {
  const auto warning = [](const std::string& lines) { return loaded(kSmallest + lines + "\n").warnings.text; };
  CHECK(contains(warning("[[service.web.rule]]\npath = '/a'\nversion = 'stabel'"),
                 "there is no version \"stabel\", did you mean \"stable\"?; until there is one"));
  CHECK(contains(warning("[service.web.allowlist]\nversion = 'v2'"), "there is no version \"v2\""));
  CHECK(contains(warning("[[service.web.rule]]\npath = '/a'\n[[service.web.rule]]\npath = '/a'"),
                 "this rule never decides: the rule \"#1\" before it has the same conditions"));
  CHECK(warning("[[service.web.rule]]\npath = '/a'\nversion = 'v1'").empty());
  // It may be deployed later, or is.
  CHECK(
      warning("[service.web.release]\ncommand = ['node']\n[[service.web.rule]]\npath = '/a'\nversion = 'v2'").empty());
}

TEST_CASE("the allowlist has the users of the list and of the file") {
  const Folder folder;
  const std::string file = folder.path / "insiders.txt";
  std::ofstream(file) << "# insiders\n77\n  alice \t\r\n\n#bob\ncarol";
  const auto service = web("[service.web.allowlist]\nusers = ['77', 'dave']\nversion = 'v1'\nfile = '" + file + "'");
  CHECK(service.allowlist.version == "v1");
  CHECK(service.allowlist.count == 4);
  CHECK(service.allowlist_source.file == file);
  CHECK(service.allowlist_source.stamp == FileStamp::of(file));
  REQUIRE(service.allowlist_source.table);
  CHECK(service.allowlist.digest ==
        allowlist_hash("77") + allowlist_hash("alice") + allowlist_hash("carol") + allowlist_hash("dave"));
  CHECK(web("[service.web.allowlist]\nusers = ['dave', 'carol', 'alice', '77']\nversion = 'v1'") == service);
  CHECK(web("[service.web.allowlist]").allowlist == AllowlistRef{});
  CHECK(web("").allowlist == AllowlistRef{});
}

TEST_CASE("files beside the configuration are left alone if the caller wants that") {
  const auto text = kSmallest + "[service.web.allowlist]\nusers = ['1']\nversion = 'v1'\nfile = '/nonexistent/x'\n";
  const auto result = parse_settings(text, kFile, Beside::leave);
  REQUIRE(std::holds_alternative<Settings>(result));
  const ServiceSettings& service = std::get<Settings>(result).services[0];
  CHECK(service.allowlist == AllowlistRef{"v1", 0, 0});
  CHECK(service.allowlist_source.file == "/nonexistent/x");
}

TEST_CASE("an error in an allowlist says where it is and what to do") {
  const BadRow rows[] = {
      {"userz = []", "unknown key \"userz\", did you mean \"users\"?"},
      {"users = [77]", "expected a string, found an integer"},
      {"users = ['']", "is not an id: it is empty"},
      {"users = [' a']", "has blanks around it"},
      {"users = '77'", "expected a list of strings"},
      {"version = ''", "is not a version"},
      {"file = '/nonexistent/x'", "\"/nonexistent/x\" cannot be read: No such file or directory; create it, or remove"},
      {"file = 'x'", "\"/etc/gray/x\" cannot be read"},
      {"file = '/'", "\"/\" is not a file: name a text file"},
  };
  for (const BadRow& row : rows) check_bad(row, "[service.web.allowlist]\n");
  const auto result = refused(with_service("identity = []\n[service.web.allowlist]\nusers = ['77']"));
  CHECK(result.count == 1);
  CHECK(contains(result.text, "an allowlist needs users who are identified: add identity to [service.web]"));
}
