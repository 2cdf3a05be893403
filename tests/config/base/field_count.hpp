#pragma once
// How many members a plain struct has, so that a test can require one table row for each.
#include <cstddef>

namespace gray::test {

struct Anything {
  template <class Value>
  operator Value() const;  // never called
};

/// Struct is an aggregate without bases, and without arrays as members.
template <class Struct, class... Members>
consteval std::size_t field_count() {
  if constexpr (requires { Struct{Members{}..., Anything{}}; })
    return field_count<Struct, Members..., Anything>();
  else
    return sizeof...(Members);
}

}  // namespace gray::test
