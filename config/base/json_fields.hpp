#pragma once
// Checked reads of JSON that came from another process: a missing field, a wrong type or a number out of range throws
// JsonMismatch, which names the field. Included only by .cpp files that read JSON.
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/base/time.hpp"

namespace gray {

struct JsonMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Never throws: bytes that are no UTF-8 are replaced.
inline std::string json_dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline const nlohmann::json& json_field(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw JsonMismatch(std::string("\"") + name + "\" is missing");
  return *found;
}

template <class Number>
Number json_number(const nlohmann::json& object, const char* name,
                   std::uint64_t limit = std::numeric_limits<Number>::max()) {
  const nlohmann::json& field = json_field(object, name);
  // Negative numbers are not unsigned to the library, so one comparison is enough.
  if (!field.is_number_unsigned() || field.get<std::uint64_t>() > limit)
    throw JsonMismatch(std::string("\"") + name + "\" is no number up to " + std::to_string(limit));
  return static_cast<Number>(field.get<std::uint64_t>());
}

/// At most a year, as everywhere in the configuration.
inline Duration json_milliseconds(const nlohmann::json& object, const char* name) {
  constexpr std::uint64_t kYear = 365ull * 24 * 3'600'000;
  return Duration{json_number<Duration::rep>(object, name, kYear)};
}

inline std::string json_text(const nlohmann::json& object, const char* name) {
  const nlohmann::json& field = json_field(object, name);
  if (!field.is_string()) throw JsonMismatch(std::string("\"") + name + "\" is no string");
  return field.get<std::string>();
}

inline bool json_flag(const nlohmann::json& object, const char* name) {
  const nlohmann::json& field = json_field(object, name);
  if (!field.is_boolean()) throw JsonMismatch(std::string("\"") + name + "\" is no boolean");
  return field.get<bool>();
}

/// Reads a list of strings or objects; `read` makes one value of one element.
template <class Read>
auto json_list(const nlohmann::json& object, const char* name, Read read) {
  const nlohmann::json& field = json_field(object, name);
  if (!field.is_array()) throw JsonMismatch(std::string("\"") + name + "\" is no list");
  std::vector<decltype(read(field))> all;
  for (const nlohmann::json& one : field) all.push_back(read(one));
  return all;
}

/// A value that is written as text: Address, Cidr, IdentitySource.
template <class Value>
Value json_parsed(const nlohmann::json& text) {
  if (text.is_string())
    if (auto value = Value::parse(text.get_ref<const std::string&>())) return *value;
  throw JsonMismatch(json_dump(text) + " is not understood");
}

template <class Value>
nlohmann::json json_texts(const std::vector<Value>& values) {
  nlohmann::json all = nlohmann::json::array();
  for (const Value& value : values) all.push_back(value.text());
  return all;
}

}  // namespace gray
