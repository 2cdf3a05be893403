#include "config/toml/toml_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "config/base/units.hpp"

namespace gray {
namespace {

const toml::table kEmpty;

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a decimal number";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

std::string expected(std::string_view what, const toml::node& node) {
  return "expected " + std::string(what) + ", found " + std::string(type_name(node));
}

/// ": write KEY = NUMBER" for a number that was written as text; nothing otherwise.
std::string instead(std::string_view key, const toml::node& node) {
  const auto* text = node.as_string();
  const std::string remedy = text == nullptr ? std::string() : number_remedy(key, text->get());
  return remedy.empty() ? remedy : ": " + remedy;
}

using FormKind = KeyForm::Kind;

KeyForm text_form(std::string_view fallback, std::size_t longest) {
  KeyForm form;
  form.kind = FormKind::text;
  form.fallback = std::string(fallback);
  form.longest = longest;
  return form;
}

KeyForm range_form(FormKind kind, KeyForm::Json fallback, std::uint64_t least, std::uint64_t most) {
  KeyForm form;
  form.kind = kind;
  form.fallback = std::move(fallback);
  form.least = least;
  form.most = most;
  return form;
}

KeyForm list_form(FormKind kind, std::size_t most_items) {
  KeyForm form;
  form.kind = kind;
  form.most_items = most_items;
  return form;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The digits of a number without a unit, written as a number or as text; empty otherwise.
std::string bare_number(const toml::node& node) {
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  const auto* text = node.as_string();
  return text != nullptr && all_digits(text->get()) ? text->get() : std::string();
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 200;
  std::size_t end = std::min(text.size(), kShown);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // within UTF-8
  return "\"" + std::string(text.substr(0, end)) + (end < text.size() ? "...\"" : "\"");
}

std::string anchored(const std::string& folder, const std::string& path) {
  std::string clean = (std::filesystem::path(folder) / path).lexically_normal().string();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

TomlReader::TomlReader(const toml::table& root, TomlFile& file, std::string_view kind)
    : table_(&root), file_(file), kind_(kind), form_(file.forms) {
  if (form_ != nullptr) form_->describe(range_form(FormKind::table, {}, 0, 0));
}

TomlReader::TomlReader(TomlReader& parent, std::string_view key, std::string_view kind)
    : table_(&kEmpty), file_(parent.file_), kind_(kind.empty() ? key : kind) {
  form_ = parent.form(key);
  if (form_ != nullptr) form_->describe(range_form(FormKind::table, {}, 0, 0));
  const toml::node* node = parent.find(key);
  if (node == nullptr) return;
  if (node->is_table())
    table_ = node->as_table();
  else
    error(*node, expected("a table", *node));
}

TomlReader::TomlReader(TomlReader& parent, std::string_view key, const toml::table& one)
    : table_(&one), file_(parent.file_), kind_(key), form_(parent.form(key)) {}

TomlReader::~TomlReader() {
  if (all_known_) return;
  const std::vector<std::string_view> known(asked_.begin(), asked_.end());
  for (const auto& [key, value] : *table_)
    if (std::find(known.begin(), known.end(), key.str()) == known.end()) report_unknown(key, known);
}

void TomlReader::report_unknown(const toml::key& key, const std::vector<std::string_view>& known) {
  std::string remedy = foreign_key_remedy(kind_, key.str());
  if (remedy.empty()) remedy = did_you_mean(key.str(), known);
  file_.unknown_keys.push_back({file_.problems.size(), kind_, std::string(key.str()), std::move(remedy)});
  report(key.source().begin, "unknown key " + in_quotes(key.str()));
}

void explain_unknown_keys(TomlFile& file) {
  if (file.unknown_keys.empty()) return;
  std::unordered_map<std::string_view, std::vector<std::string_view>> kinds;  // of tables, by key
  for (const auto& [name, present] : file.keys) {
    const std::size_t dot = name.rfind('.');
    const std::string_view whole = name, kind = dot == name.npos ? std::string_view() : whole.substr(0, dot);
    if (!table_of(kind).empty()) kinds[whole.substr(dot + 1)].push_back(kind);  // npos + 1 is 0
  }
  for (const TomlFile::UnknownKey& unknown : file.unknown_keys) {
    std::string remedy = unknown.remedy;
    if (const auto found = kinds.find(unknown.key); found != kinds.end())
      for (const std::string_view kind : found->second)
        if (kind != unknown.kind) remedy = ": it belongs into " + std::string(table_of(kind));
    file.problems[unknown.problem].message += remedy;
  }
}

std::vector<std::string> TomlReader::names() {
  std::vector<const toml::key*> keys;
  for (const auto& [key, value] : *table_) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), [](const toml::key* a, const toml::key* b) {
    const auto &left = a->source().begin, &right = b->source().begin;
    return std::tie(left.line, left.column) < std::tie(right.line, right.column);
  });
  if (form_ != nullptr) form_->kind = FormKind::map;
  std::vector<std::string> names;
  for (const toml::key* key : keys) names.emplace_back(key->str());
  all_known_ = true;
  return names;
}

void TomlReader::pattern(std::string_view key, std::string_view expression) {
  if (KeyForm* const described = form(key)) described->pattern = expression;
}

void TomlReader::require(std::string_view key) {
  if (KeyForm* const described = form(key)) described->required = true;
}

const toml::node* TomlReader::find(std::string_view key) {
  if (!all_known_ && std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  const toml::node* node = table_->get(key);
  file_.keys[kind_.empty() ? std::string(key) : kind_ + "." + std::string(key)] |= node != nullptr;
  return node;
}

/// A NUL would cut the text short in system calls.
std::optional<std::string> TomlReader::string_of(const toml::node& node, std::size_t most) {
  const auto* text = node.as_string();
  if (text == nullptr) {
    error(node, expected("a string", node));
    return std::nullopt;
  }
  if (text->get().size() > most) {
    error(node, "the text has " + std::to_string(text->get().size()) + " bytes: at most " + std::to_string(most) +
                    " are allowed here");
    return std::nullopt;
  }
  if (text->get().find('\0') == std::string::npos) return text->get();
  error(node, "the text contains a NUL character");
  return std::nullopt;
}

void TomlReader::text(std::string_view key, std::string& value, std::size_t most) {
  if (KeyForm* const described = form(key)) described->describe(text_form(value, most));
  const toml::node* node = find(key);
  const auto found = node == nullptr ? std::nullopt : string_of(*node, most);
  if (found) value = *found;
}

void TomlReader::path(std::string_view key, std::string& value) {
  text(key, value, kMostPath);
  pattern(key, "^[^\\x00]+$");
  if (value.empty()) error(key, in_quotes(key) + " is empty: name a path");
  value = anchored(file_.folder, value);
  if (value.size() > kMostFilePath)
    error(key, "the path has " + std::to_string(value.size()) + " bytes with its folder: at most " +
                   std::to_string(kMostFilePath) + " are allowed");
}

void TomlReader::number(std::string_view key, std::uint32_t& value, std::uint32_t least, std::uint32_t most) {
  if (KeyForm* const described = form(key)) described->describe(range_form(FormKind::whole, value, least, most));
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* integer = node->as_integer();
  if (integer == nullptr) return error(*node, expected("an integer", *node) + instead(key, *node));
  if (integer->get() < least || integer->get() > most)
    return error(*node, std::to_string(integer->get()) + " is out of range: " + std::string(key) + " must be " +
                            std::to_string(least) + " to " + std::to_string(most));
  value = static_cast<std::uint32_t>(integer->get());
}

void TomlReader::percent(std::string_view key, double& value) {
  if (KeyForm* const described = form(key)) described->describe(range_form(FormKind::percent, value, 0, 100));
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (!node->is_number()) return error(*node, expected("a number", *node) + instead(key, *node));
  const double found = *node->value<double>();
  if (!(found >= 0 && found <= 100)) return error(*node, std::string(key) + " must be a percentage from 0 to 100");
  value = found;
}

void TomlReader::flag(std::string_view key, bool& value) {
  if (KeyForm* const described = form(key)) described->describe(range_form(FormKind::flag, value, 0, 0));
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* found = node->as_boolean();
  if (found == nullptr) return error(*node, expected("true or false", *node));
  value = found->get();
}

void TomlReader::duration(std::string_view key, Duration& value, Duration least, Duration most) {
  if (KeyForm* const described = form(key))
    described->describe(range_form(FormKind::duration, format_duration(value),
                                   static_cast<std::uint64_t>(least.count()),
                                   static_cast<std::uint64_t>(most.count())));
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  const auto found = text == nullptr ? std::nullopt : parse_duration(text->get());
  if (!found) {
    if (const std::string number = bare_number(*node); !number.empty())
      return error(*node, "a duration needs a unit, such as " + in_quotes(number + "s"));
    if (text == nullptr) return error(*node, expected("a duration such as \"10s\"", *node));
    return error(*node, in_quotes(text->get()) +
                            " is not a duration: write a number with ms, s, m or h, such as \"250ms\"," +
                            " at most a year");
  }
  if (*found < least)
    return error(*node, in_quotes(text->get()) + " is too short: " + std::string(key) + " must be at least " +
                            format_duration(least));
  if (*found > most)
    return error(*node, in_quotes(text->get()) + " is too long: " + std::string(key) + " must be at most " +
                            format_duration(most));
  value = *found;
}

void TomlReader::size(std::string_view key, std::uint64_t& value, std::uint64_t least, std::uint64_t most) {
  if (KeyForm* const described = form(key))
    described->describe(range_form(FormKind::size, format_size(value), least, most));
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  const auto found = text == nullptr ? std::nullopt : parse_size(text->get());
  if (!found) {
    if (const std::string number = bare_number(*node); !number.empty())
      return error(*node, "a size needs a unit, such as " + in_quotes(number + "KiB"));
    if (text == nullptr) return error(*node, expected("a size such as \"64KiB\"", *node));
    return error(*node, in_quotes(text->get()) +
                            " is not a size: write a whole number with B, KiB, MiB or GiB, such as " + "\"64KiB\"");
  }
  if (*found < least || *found > most)
    return error(*node, in_quotes(text->get()) + " is out of range: " + std::string(key) + " must be " +
                            format_size(least) + " to " + format_size(most));
  value = *found;
}

std::optional<std::vector<TomlReader::Item>> TomlReader::texts(std::string_view key, bool or_one, std::size_t most) {
  if (KeyForm* const described = form(key)) {
    KeyForm list = list_form(FormKind::texts, kMostItems);
    list.or_one = or_one;
    list.longest = most;
    described->describe(std::move(list));
  }
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  std::vector<Item> items;
  const auto add = [&](const toml::node& element) {
    if (auto text = string_of(element, most)) items.push_back({std::move(*text), &element});
  };
  if (or_one && node->is_string()) {
    add(*node);
  } else if (const auto* array = node->as_array()) {
    for (std::size_t i = 0; i < std::min(array->size(), kMostItems); ++i) add((*array)[i]);
    if (array->size() > kMostItems) {
      error((*array)[kMostItems], in_quotes(key) + " has " + std::to_string(array->size()) + " items: at most " +
                                      std::to_string(kMostItems) + " are allowed");
    }
  } else {
    const auto* text = node->as_string();
    error(*node, expected(or_one ? "a string or a list of strings" : "a list of strings", *node) +
                     (text == nullptr ? std::string() : ": " + list_remedy(key, text->get())));
    return std::nullopt;
  }
  return items;
}

std::optional<std::vector<TomlReader::Number>> TomlReader::numbers(std::string_view key, std::size_t most) {
  if (KeyForm* const described = form(key)) described->describe(list_form(FormKind::percents, most));
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* array = node->as_array();
  if (array == nullptr) {
    error(*node, expected("a list of numbers", *node));
    return std::nullopt;
  }
  if (array->size() > most) {
    error((*array)[most], in_quotes(key) + " has " + std::to_string(array->size()) + " items: at most " +
                              std::to_string(most) + " are allowed");
    return std::nullopt;
  }
  std::vector<Number> all;
  for (const toml::node& element : *array) {
    if (!element.is_number()) {
      error(element, expected("a number", element));
      return std::nullopt;
    }
    all.push_back({*element.value<double>(), &element});
  }
  return all;
}

std::vector<const toml::table*> TomlReader::tables(std::string_view key, std::string_view written, std::size_t most) {
  if (KeyForm* const described = form(key)) described->describe(list_form(FormKind::tables, most));
  std::vector<const toml::table*> all;
  const toml::node* node = find(key);
  if (node == nullptr) return all;
  const auto* array = node->as_array();
  if (array == nullptr || (!array->empty() && !array->is_array_of_tables())) {
    error(*node, expected("a list of tables", *node) + ": write each as [[" + std::string(written) + "]]");
    return all;
  }
  if (array->size() > most)
    error((*array)[most], "more than " + std::to_string(most) + " of [[" + std::string(written) + "]]");
  for (std::size_t i = 0; i < std::min(array->size(), most); ++i) all.push_back((*array)[i].as_table());
  return all;
}

Place TomlReader::place(std::string_view key) const {
  const toml::node* node = table_->get(key);
  const auto& at = (node == nullptr ? static_cast<const toml::node&>(*table_) : *node).source().begin;
  return {at.line, at.column};
}

void TomlReader::error(std::string_view key, std::string message) {
  const toml::node* node = table_->get(key);
  error(node == nullptr ? *table_ : *node, std::move(message));
}

void TomlReader::error(const toml::node& at, std::string message) { report(at.source().begin, std::move(message)); }

void TomlReader::warn(std::string_view key, std::string message) {
  const Place at = place(key);
  file_.warnings.push_back({std::max(at.line, 1u), std::max(at.column, 1u), std::move(message)});
}

void TomlReader::error_at_name(std::string_view key, std::string message) {
  report(table_->find(key)->first.source().begin, std::move(message));
}

/// A value without a position, because its whole table is absent, is reported at the start of the file.
void TomlReader::report(const toml::source_position& at, std::string message) {
  file_.problems.push_back({std::max(at.line, 1u), std::max(at.column, 1u), std::move(message)});
}

}  // namespace gray
