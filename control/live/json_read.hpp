#pragma once
// Members of JSON objects that another version of grayd may have written: what is missing or has another type reads as
// zero or as empty.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace gray::control::json_read {

inline const nlohmann::json& part(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kAbsent;
  if (!object.is_object()) return kAbsent;
  const auto found = object.find(name);
  return found == object.end() ? kAbsent : *found;
}

/// An array.
inline const nlohmann::json& parts(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kEmpty = nlohmann::json::array();
  const nlohmann::json& found = part(object, name);
  return found.is_array() ? found : kEmpty;
}

inline std::string word(const nlohmann::json& object, const char* name) {
  const nlohmann::json& found = part(object, name);
  return found.is_string() ? found.get<std::string>() : std::string();
}

inline double figure(const nlohmann::json& object, const char* name) {
  const nlohmann::json& found = part(object, name);
  return found.is_number() ? found.get<double>() : 0;
}

inline std::uint64_t whole(const nlohmann::json& object, const char* name) {
  constexpr double kMost = 1e18;
  const double value = figure(object, name);
  return value > 0 ? static_cast<std::uint64_t>(value < kMost ? value : kMost) : 0;
}

inline bool flag(const nlohmann::json& object, const char* name) {
  const nlohmann::json& found = part(object, name);
  return found.is_boolean() && found.get<bool>();
}

}  // namespace gray::control::json_read
