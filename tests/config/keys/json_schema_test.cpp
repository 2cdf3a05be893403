#include "config/keys/json_schema.hpp"

#include <doctest/doctest.h>

using namespace gray;
using Json = KeyForm::Json;
using Kind = KeyForm::Kind;

namespace {

KeyForm& add(KeyForm& table, const char* name, Kind kind) {
  KeyForm& key = table.child(name);
  key.kind = kind;
  return key;
}

Json schema(const KeyForm& root, const std::map<std::string, std::string>& texts = {}) {
  return Json::parse(json_schema(root, texts));
}

}  // namespace

TEST_CASE("each kind of key has its schema") {
  KeyForm root;
  root.kind = Kind::table;
  KeyForm& whole = add(root, "n", Kind::whole);
  whole.least = 1;
  whole.most = 5;
  whole.fallback = 2;
  add(root, "share", Kind::percent);
  add(root, "on", Kind::flag);
  add(root, "word", Kind::word).words = {"a", "b"};
  KeyForm& ways = add(root, "ways", Kind::texts);
  ways.or_one = ways.or_true = ways.distinct = true;
  ways.pattern = "^x$";
  ways.longest = 9;
  add(root, "old", Kind::text).refused = true;
  add(root, "name", Kind::text).required = true;
  const Json all = schema(root, {{"n", "About n."}});
  CHECK(all["$schema"] == "http://json-schema.org/draft-07/schema#");
  CHECK(all["additionalProperties"] == false);
  CHECK(all["required"] == Json::array({"name"}));
  const Json& keys = all["properties"];
  CHECK(keys["n"] == Json::parse(R"({"title":"n","description":"About n.","default":2,"type":"integer","minimum":1,
    "maximum":5})"));
  CHECK(keys["share"]["maximum"] == 100);
  CHECK(keys["on"]["type"] == "boolean");
  CHECK(keys["word"]["enum"] == Json::array({"a", "b"}));
  CHECK(keys["ways"]["anyOf"].size() == 3);
  CHECK(keys["ways"]["anyOf"][1]["uniqueItems"] == true);
  CHECK(keys["ways"]["anyOf"][1]["items"]["pattern"] == "^x$");
  CHECK_FALSE(keys.contains("old"));
}

TEST_CASE("names of the user are patterns, and a text about a version counts for a release") {
  KeyForm root;
  root.kind = Kind::table;
  KeyForm& services = add(root, "service", Kind::map);
  services.names = "^[a-z]+$";
  services.words = {"not"};
  KeyForm& service = services.child("any");
  service.kind = Kind::table;
  KeyForm& release = add(service, "release", Kind::table);
  add(release, "cwd", Kind::text).fallback = ".";
  const Json all = schema(root, {{"service.*.version.*.cwd", "The folder."}});
  const Json& one = all["properties"]["service"];
  CHECK(one["propertyNames"]["not"]["enum"] == Json::array({"not"}));
  const Json& cwd = one["patternProperties"]["^[a-z]+$"]["properties"]["release"]["properties"]["cwd"];
  CHECK(cwd["title"] == "service.NAME.release.cwd");
  CHECK(cwd["description"] == "The folder.");
  CHECK(cwd["default"] == ".");
}
