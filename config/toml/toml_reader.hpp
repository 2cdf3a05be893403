#pragma once
// Typed access to one table of a TOML file. The members read a key into a value that already holds the default. A key
// that is absent or wrong does not change the value; a wrong one gives a diagnostic at its position, never an
// exception. A reader remembers which keys were read; its destructor reports every other key as unknown.
//
// The same calls describe the keys (config/keys/key_form.hpp): with TomlFile::forms set, each one adds the type, range
// and default that it was called with.
#include <toml++/toml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/base/diagnostics.hpp"
#include "config/base/place.hpp"
#include "config/base/time.hpp"
#include "config/keys/key_form.hpp"
#include "config/toml/toml_mistakes.hpp"

namespace gray {

inline constexpr std::size_t kMostItems = 10'000;    // of a list
inline constexpr std::size_t kMostText = 131'071;    // bytes of a text: the longest argument of a program (execve(2))
inline constexpr std::size_t kMostPath = 4'096;      // bytes of the path of a request
inline constexpr std::size_t kMostFilePath = 3'840;  // bytes of the path of a file: PATH_MAX, less what grayd appends
inline constexpr Duration kLongestDuration = std::chrono::hours(24 * 366);  // more than parse_duration() accepts
inline constexpr std::size_t kMostName = 256;  // bytes of the name of a field, a cookie, a parameter, a user

/// The data shared by all readers of a file.
struct TomlFile {
  std::string folder;        // absolute; relative paths of the file begin here
  bool reads_beside = true;  // other files that this one names are read, too
  std::vector<Diagnostic> problems;
  std::vector<Diagnostic> warnings;  // of settings that are valid, but probably not meant
  KeyForm* forms = nullptr;          // where the keys of the file are described; null: nowhere
  std::map<std::string, bool> keys;  // all keys that were read, as KIND.KEY; true: present in some table of that kind

  struct UnknownKey {
    std::size_t problem;  // its index
    std::string kind, key;
    std::string remedy;  // if no other table has this key
  };
  std::vector<UnknownKey> unknown_keys;
};

/// After the whole file was read: completes the message of each unknown key with the table that has it, or its remedy.
void explain_unknown_keys(TomlFile& file);

class TomlReader {
 public:
  TomlReader(const toml::table& root, TomlFile& file, std::string_view kind = {});
  /// The table `key` of `parent`; an absent table reads as empty. `kind` is its name in TomlFile::keys, by default
  /// `key`.
  TomlReader(TomlReader& parent, std::string_view key, std::string_view kind = {});
  /// One of the tables of `[[KEY]]` of `parent`.
  TomlReader(TomlReader& parent, std::string_view key, const toml::table& one);
  ~TomlReader();
  TomlReader(const TomlReader&) = delete;
  TomlReader& operator=(const TomlReader&) = delete;

  bool has(std::string_view key) const { return table_->contains(key); }
  /// All keys in the order of the file, for tables whose keys are names that the user chose.
  std::vector<std::string> names();

  void text(std::string_view key, std::string& value, std::size_t most = kMostText);
  /// The path of a file, made absolute, as is the default.
  void path(std::string_view key, std::string& value);
  void number(std::string_view key, std::uint32_t& value, std::uint32_t least, std::uint32_t most);
  void percent(std::string_view key, double& value);
  void flag(std::string_view key, bool& value);
  void duration(std::string_view key, Duration& value, Duration least = Duration{1}, Duration most = kLongestDuration);
  void size(std::string_view key, std::uint64_t& value, std::uint64_t least, std::uint64_t most);
  /// One of some words.
  template <class Value>
  void choice(std::string_view key, Value& value, const std::vector<std::pair<std::string_view, Value>>& words);
  /// What to write instead of a wrong text; empty if that is not known (config/toml/toml_mistakes.hpp).
  using Remedy = std::string (*)(std::string_view text);
  /// A list of strings, each read by `parse` (text to optional) and of at most `most` bytes; `expected` describes valid
  /// values. No value twice.
  template <class Value, class Parse>
  void list(std::string_view key, std::vector<Value>& values, Parse parse, std::string_view expected,
            std::size_t most = kMostText, Remedy remedy = nullptr);

  struct Item {
    std::string text;
    const toml::node* at;
  };
  /// The strings of a list, at most kMostItems; nothing if the key is absent or wrong. `or_one`: a single string counts
  /// as a list of one.
  std::optional<std::vector<Item>> texts(std::string_view key, bool or_one = false, std::size_t most = kMostText);

  struct Number {
    double value;
    const toml::node* at;
  };
  /// The numbers of a list, at most `most`; nothing if the key is absent, or anything in it is wrong.
  std::optional<std::vector<Number>> numbers(std::string_view key, std::size_t most);

  /// The tables of `[[KEY]]`, at most `most`. `written`: the key with its tables, "service.NAME.rule".
  std::vector<const toml::table*> tables(std::string_view key, std::string_view written, std::size_t most);
  /// The value of the key; null: it is absent.
  const toml::node* find(std::string_view key);

  /// A different reader of the same table reads the key.
  void leave(std::string_view key) { asked_.emplace_back(key); }
  /// Likewise all keys that this one has not read.
  void leave_rest() { all_known_ = true; }

  /// To add what a call cannot say; null unless the forms are recorded.
  KeyForm* form(std::string_view key) { return form_ == nullptr ? nullptr : &form_->child(key); }
  /// The form of this table itself.
  KeyForm* form() { return form_; }
  /// What texts of `key` look like, see KeyForm::pattern.
  void pattern(std::string_view key, std::string_view expression);
  void require(std::string_view key);

  /// The position of the value of `key`, or of the table if the key is absent.
  Place place(std::string_view key) const;
  /// Reports at the value of `key`, or at the table if the key is absent.
  void error(std::string_view key, std::string message);
  void error(const toml::node& at, std::string message);
  /// The setting is valid, but probably not meant.
  void warn(std::string_view key, std::string message);
  /// Reports at the key itself.
  void error_at_name(std::string_view key, std::string message);

  TomlFile& file() { return file_; }

 private:
  std::optional<std::string> string_of(const toml::node& node, std::size_t most = kMostText);
  void report(const toml::source_position& at, std::string message);
  void report_unknown(const toml::key& key, const std::vector<std::string_view>& known);

  const toml::table* table_;
  TomlFile& file_;
  std::string kind_;
  KeyForm* form_ = nullptr;  // of this table, while the forms are recorded
  std::vector<std::string> asked_;
  bool all_known_ = false;  // names() gave every key away, so none is unknown
};

/// `"TEXT"`, as messages show values; a long one is cut.
std::string in_quotes(std::string_view text);
/// The identity of a value of a list.
inline std::string key_of(const std::string& value) { return value; }
template <class Value>
std::string key_of(const Value& value) {
  return value.text();
}
/// `path` itself if absolute, else below `folder`; without "." and "..".
std::string anchored(const std::string& folder, const std::string& path);

template <class Value>
void TomlReader::choice(std::string_view key, Value& value,
                        const std::vector<std::pair<std::string_view, Value>>& words) {
  if (KeyForm* const described = form(key)) {
    KeyForm words_form;
    words_form.kind = KeyForm::Kind::word;
    for (const auto& [word, meaning] : words) {
      words_form.words.emplace_back(word);
      if (meaning == value) words_form.fallback = std::string(word);
    }
    described->describe(std::move(words_form));
  }
  const toml::node* node = find(key);
  const auto found = node == nullptr ? std::nullopt : string_of(*node);
  if (!found) return;
  std::string expected;
  std::vector<std::string_view> names;
  for (const auto& [word, meaning] : words) {
    if (*found == word) {
      value = meaning;
      return;
    }
    names.push_back(word);
    expected += (expected.empty() ? "" : ", ") + in_quotes(word);
  }
  error(*node, in_quotes(*found) + " is not one of " + expected + word_remedy(*found, names));
}

template <class Value, class Parse>
void TomlReader::list(std::string_view key, std::vector<Value>& values, Parse parse, std::string_view expected,
                      std::size_t most, Remedy remedy) {
  const auto items = texts(key, false, most);
  if (KeyForm* const described = form(key); described != nullptr && described->fallback.is_null()) {
    described->distinct = true;
    described->fallback = KeyForm::Json::array();
    for (const Value& value : values) described->fallback.push_back(key_of(value));
  }
  if (!items) return;
  values.clear();
  std::unordered_set<std::string> known;
  for (const Item& item : *items) {
    std::optional<Value> value = parse(item.text);
    if (!value) {
      const std::string instead = remedy == nullptr ? std::string() : remedy(item.text);
      error(*item.at,
            in_quotes(item.text) + " is not " + std::string(expected) + (instead.empty() ? "" : "; ") + instead);
      continue;
    }
    if (!known.insert(key_of(*value)).second) error(*item.at, in_quotes(item.text) + " is listed twice");
    values.push_back(std::move(*value));
  }
}

}  // namespace gray
