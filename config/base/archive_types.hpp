#pragma once
// How each type is archived (config/base/archive.hpp): the traits and concepts by which Save and Load choose a format,
// and the bounds of times in the input.
#include <chrono>
#include <concepts>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/base/restored.hpp"

namespace gray {

namespace archive_detail {

template <class Value>
struct is_sequence : std::false_type {};
template <class Value>
struct is_sequence<std::vector<Value>> : std::true_type {};
template <class Value>
struct is_sequence<std::deque<Value>> : std::true_type {};
template <class Value>
struct is_sequence<std::list<Value>> : std::true_type {};
template <class Value>
struct is_set : std::false_type {};
template <class Value>
struct is_set<std::set<Value>> : std::true_type {};
template <class Value>
struct is_map : std::false_type {};
template <class Key, class Value>
struct is_map<std::map<Key, Value>> : std::true_type {};
template <class Value>
struct is_optional : std::false_type {};
template <class Value>
struct is_optional<std::optional<Value>> : std::true_type {};
template <class Value>
struct is_owner : std::false_type {};
template <class Value>
struct is_owner<std::unique_ptr<Value>> : std::true_type {};
template <class Value>
struct is_pair : std::false_type {};
template <class A, class B>
struct is_pair<std::pair<A, B>> : std::true_type {};
template <class Value>
struct is_duration : std::false_type {};
template <class Rep, class Period>
struct is_duration<std::chrono::duration<Rep, Period>> : std::true_type {};
template <class Value>
struct is_time_point : std::false_type {};
template <class Which, class Span>
struct is_time_point<std::chrono::time_point<Which, Span>> : std::true_type {};

/// The largest values with which calculations are safe: a year, as everywhere in the configuration, and 146 years in
/// nanoseconds.
inline constexpr std::chrono::hours kLongest{365 * 24};
inline constexpr std::int64_t kFarthest = std::int64_t{1} << 62;

/// Written as text: Address, Cidr, IdentitySource.
template <class Value>
concept Textual = requires(const Value& value, std::string_view text) {
  { value.text() } -> std::convertible_to<std::string>;
  { Value::parse(text) } -> std::same_as<std::optional<Value>>;
};
/// Written by its name.
template <class Enum>
concept Named = std::is_enum_v<Enum> && requires(Enum value) {
  { name_of(value) } -> std::convertible_to<std::string_view>;
  { last_value(value) } -> std::same_as<Enum>;
};
/// Written as an object.
template <class Value>
struct is_text_map : std::false_type {};
template <class Value>
struct is_text_map<std::map<std::string, Value>> : std::true_type {};

/// An empty one.
template <class Value>
Value blank() {
  if constexpr (requires { Value(); })  // a trait would cache the answer that it gave inside the class of Value
    return Value();
  else
    return Value(kRestored);
}

}  // namespace archive_detail

}  // namespace gray
