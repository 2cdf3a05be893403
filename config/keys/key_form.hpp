#pragma once
// What a key of the configuration may hold, as the reader of the file asks for it: a tree, one node for each key.
//
// There is no list of keys beside the readers. While the forms are recorded, each call of a TomlReader describes its
// key here; the same call reads the key and checks it. So a key has one range, one default and one set of words.
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gray {

struct KeyForm {
  enum class Kind {
    unset,  // nobody has described it yet
    text,
    whole,  // an integer
    percent,
    flag,
    duration,  // text with a unit, milliseconds here
    size,      // text with a unit, bytes here
    word,      // one of `words`
    texts,     // a list
    percents,  // a list
    table,     // of `keys`
    map,       // of names that the user chooses, each with the form `each`
    tables,    // a list of tables of `keys`
  };
  using Json = nlohmann::ordered_json;

  std::string name;
  Kind kind = Kind::unset;
  Json fallback;  // the value without the key; null: none
  bool required = false;
  bool refused = false;                          // the key is known, but an error at this place
  bool or_one = false;                           // texts: a single text counts as a list of one
  bool or_true = false;                          // texts: or `true`
  bool distinct = false;                         // of a list: no value twice
  std::uint64_t least = 0, most = 0;             // of a number, a duration, a size
  std::size_t longest = 0;                       // characters of a text, of each in a list; 0: any
  std::size_t fewest_items = 0, most_items = 0;  // of a list or a map; 0: any
  std::string pattern;             // of a text, of each in a list: a regular expression (ECMA 262); empty: any
  std::string names;               // the same for the names of a map
  std::vector<std::string> words;  // of a word; of a map: names that are not allowed
  std::vector<std::unique_ptr<KeyForm>> keys;
  std::unique_ptr<KeyForm> each;

  /// The form of a key of a table, or that of any name of a map; made where it is missing.
  KeyForm& child(std::string_view key);
  /// Null: there is none.
  const KeyForm* find(std::string_view key) const;
  /// Takes over `form` if nothing has described this key yet. The name, and what was said about the key in words that
  /// only its reader knows, stay.
  void describe(KeyForm form);
};

}  // namespace gray
