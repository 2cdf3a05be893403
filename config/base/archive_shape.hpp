#pragma once
// The shape of a type: the names and types of all fields that an archive writes for it, without any values. A container
// gets one element, so that the fields of its elements are included. Two programs whose shapes are equal can read each
// other's archives; tests compare the shapes with a recorded digest. A class that writes different fields for different
// values has a static variants(): a list with one value for each case. Included by config/base/archive.hpp only.
#include <nlohmann/json.hpp>

#include "config/base/archive_types.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::archive_detail {

template <class Number>
std::string number_shape() {
  if constexpr (std::is_same_v<Number, bool>) return "bool";
  const char* const kind = std::is_floating_point_v<Number> ? "float" : std::is_signed_v<Number> ? "int" : "uint";
  return kind + std::to_string(8 * sizeof(Number));
}

template <class Period>
std::string unit_shape() {
  return " in " + std::to_string(Period::num) + "/" + std::to_string(Period::den) + " s";
}

template <class Enum>
std::string enum_shape() {
  using Number = std::underlying_type_t<Enum>;
  const auto last = static_cast<Number>(last_value(Enum{}));
  if constexpr (!Named<Enum>) {
    return "enum up to " + std::to_string(last);
  } else {
    std::string names = "enum";
    for (Number value = 0; value <= last; ++value) names += " " + std::string(name_of(static_cast<Enum>(value)));
    return names;
  }
}

template <class Io, class Value>
nlohmann::json shape_of(const Io& io, Value& value);

/// Never destroyed: it is made without real contents, and the destructors kill workers and remove files.
template <class Io, class Make>
nlohmann::json shape_of_made(const Io& io, Make&& make) {
  using Made = std::decay_t<decltype(make())>;
  static auto& kept = *new std::vector<std::unique_ptr<Made>>;
  kept.emplace_back(new Made(make()));
  return shape_of(io, *kept.back());
}

/// `make` as for Load.
template <class Io, class Value, class Make>
nlohmann::json shape_with(const Io& io, Value&, Make&& make) {
  if constexpr (is_map<Value>::value) {
    typename Value::key_type key{};
    return {"map", shape_of(io, key), shape_of_made(io, [&] { return make(key); })};
  } else if constexpr (is_owner<Value>::value) {
    return shape_of_made(io, make);
  } else {
    return {is_sequence<Value>::value ? "list" : "optional", shape_of_made(io, make)};
  }
}

template <class Io, class Value>
nlohmann::json shape_of(const Io& io, Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return enum_shape<Value>();
  } else if constexpr (std::is_arithmetic_v<Value>) {
    return number_shape<Value>();
  } else if constexpr (std::is_same_v<Value, std::string>) {
    return "text";
  } else if constexpr (Textual<Value>) {
    return "parsed text";
  } else if constexpr (std::is_same_v<Value, UniqueFd>) {
    return "descriptor";
  } else if constexpr (is_duration<Value>::value) {
    return number_shape<typename Value::rep>() + unit_shape<typename Value::period>();
  } else if constexpr (is_time_point<Value>::value) {
    return std::string(Value::clock::is_steady ? "monotonic time" : "time") + unit_shape<typename Value::period>();
  } else if constexpr (is_pair<Value>::value) {
    return {"pair", shape_of(io, value.first), shape_of(io, value.second)};
  } else if constexpr (is_owner<Value>::value) {  // always made, so never null
    return {"optional", shape_of(io, *value)};
  } else if constexpr (is_set<Value>::value) {
    return {"set", shape_of_made(io, blank<typename Value::value_type>)};
  } else if constexpr (is_map<Value>::value) {
    return shape_with(io, value, [](const auto&) { return blank<typename Value::mapped_type>(); });
  } else if constexpr (is_optional<Value>::value || is_sequence<Value>::value) {
    return shape_with(io, value, blank<typename Value::value_type>);
  } else if constexpr (requires { Value::variants(); }) {
    auto all = nlohmann::json::array({"one of"});
    auto variants = Value::variants();
    for (auto& variant : variants) all.push_back(io.shape_of_noun(variant));
    return all;
  } else {
    return io.shape_of_noun(value);
  }
}

}  // namespace gray::archive_detail
