#include "config/keys/json_schema.hpp"

#include <utility>

#include "config/keys/number_pattern.hpp"

namespace gray {
namespace {

using Kind = KeyForm::Kind;
using Json = KeyForm::Json;
using Texts = std::map<std::string, std::string>;

constexpr const char* kAnyText = "^[^\\x00]*$";
constexpr const char* kRelease = "service.*.release";
constexpr const char* kVersion = "service.*.version.*";

std::string text_about(const Texts& texts, const std::string& path) {
  const auto own = texts.find(path);
  if (own != texts.end() && !own->second.empty()) return own->second;
  const std::string release = kRelease;
  if (!path.starts_with(release + ".")) return {};
  const auto other = texts.find(kVersion + path.substr(release.size()));
  return other == texts.end() ? std::string() : other->second;
}

Json one_text(const KeyForm& form) {
  Json out = {{"type", "string"}};
  if (form.longest > 0) out["maxLength"] = form.longest;
  out["pattern"] = form.pattern.empty() ? kAnyText : form.pattern;
  return out;
}

void put_list(Json& out, const KeyForm& form, Json items) {
  out["type"] = "array";
  out["items"] = std::move(items);
  if (form.fewest_items > 0) out["minItems"] = form.fewest_items;
  if (form.most_items > 0) out["maxItems"] = form.most_items;
  if (form.distinct) out["uniqueItems"] = true;
}

void put_texts(Json& out, const KeyForm& form) {
  Json list = Json::object();
  put_list(list, form, one_text(form));
  if (!form.or_one && !form.or_true) {
    out.update(list);
    return;
  }
  out["anyOf"] = Json::array();
  if (form.or_one) out["anyOf"].push_back(one_text(form));
  out["anyOf"].push_back(std::move(list));
  if (form.or_true) out["anyOf"].push_back({{"const", true}});
}

Json schema_of(const KeyForm& form, const std::string& path, const Texts& texts);

void put_table(Json& out, const KeyForm& form, const std::string& path, const Texts& texts) {
  out["type"] = "object";
  out["additionalProperties"] = false;
  Json required = Json::array(), keys = Json::object();
  for (const auto& key : form.keys) {
    if (key->refused) continue;
    keys[key->name] = schema_of(*key, path.empty() ? key->name : path + "." + key->name, texts);
    if (key->required) required.push_back(key->name);
  }
  out["properties"] = std::move(keys);
  if (!required.empty()) out["required"] = std::move(required);
}

void put_map(Json& out, const KeyForm& form, const std::string& path, const Texts& texts) {
  out["type"] = "object";
  out["additionalProperties"] = false;
  const std::string names = form.names.empty() ? "^[^\\x00]*$" : form.names;
  out["patternProperties"][names] = form.each ? schema_of(*form.each, path + ".*", texts) : one_text(KeyForm{});
  if (!form.words.empty()) out["propertyNames"] = {{"not", {{"enum", form.words}}}};
  if (form.fewest_items > 0) out["minProperties"] = form.fewest_items;
  if (form.most_items > 0) out["maxProperties"] = form.most_items;
}

void put_kind(Json& out, const KeyForm& form, const std::string& path, const Texts& texts) {
  switch (form.kind) {
    case Kind::unset:
    case Kind::text: out.update(one_text(form)); return;
    case Kind::whole: out.update(Json{{"type", "integer"}, {"minimum", form.least}, {"maximum", form.most}}); return;
    case Kind::percent: out.update(Json{{"type", "number"}, {"minimum", 0}, {"maximum", 100}}); return;
    case Kind::flag: out["type"] = "boolean"; return;
    case Kind::duration:
      out.update(Json{{"type", "string"}, {"pattern", duration_pattern(form.least, form.most)}});
      return;
    case Kind::size: out.update(Json{{"type", "string"}, {"pattern", size_pattern(form.least, form.most)}}); return;
    case Kind::word: out["enum"] = form.words; return;
    case Kind::texts: put_texts(out, form); return;
    case Kind::percents: put_list(out, form, {{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 100}}); return;
    case Kind::table: put_table(out, form, path, texts); return;
    case Kind::map: put_map(out, form, path, texts); return;
    case Kind::tables: {
      Json one = Json::object();
      put_table(one, form, path, texts);
      put_list(out, form, std::move(one));
      return;
    }
  }
}

/// service.*.limits.queue as people write it.
std::string title_of(const std::string& path) {
  std::string title;
  for (const char c : path) title += c == '*' ? std::string("NAME") : std::string{c};
  return title;
}

Json schema_of(const KeyForm& form, const std::string& path, const Texts& texts) {
  Json out = Json::object();
  if (!path.empty()) out["title"] = title_of(path);
  if (std::string text = text_about(texts, path); !text.empty()) out["description"] = std::move(text);
  if (!form.required && !form.fallback.is_null()) out["default"] = form.fallback;
  put_kind(out, form, path, texts);
  return out;
}

}  // namespace

std::string json_schema(const KeyForm& root, const Texts& texts) {
  Json out = {{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "grayd.toml"},
              {"description", "The configuration of grayd. Made by: grayd schema"}};
  out.update(schema_of(root, "", texts));
  return out.dump(2) + "\n";
}

}  // namespace gray
