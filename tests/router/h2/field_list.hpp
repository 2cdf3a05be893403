#pragma once
// Fields of a block as text, for tests: "name: value" lines.
#include <string>
#include <string_view>

#include "router/h2/hpack_decoder.hpp"
#include "router/h2/hpack_encoder.hpp"

namespace gray::h2 {

class FieldList final : public FieldSink {
 public:
  void field(const HeaderField& field) override {
    text.append(field.name).append(": ").append(field.value).append("\n");
    traits = field.traits;
  }
  std::string text;
  FieldTraits traits;  // of the last one
};

/// A literal without indexing, whose name may be anything.
inline std::string literal(std::string_view name, std::string_view value, unsigned first = 0) {
  std::string out(name.size() + value.size() + 16, '?');
  char* at = out.data();
  *at++ = static_cast<char>(first);
  at = encode_integer(static_cast<std::uint32_t>(name.size()), 7, 0, at);
  at += name.copy(at, name.size());
  at = encode_integer(static_cast<std::uint32_t>(value.size()), 7, 0, at);
  at += value.copy(at, value.size());
  out.resize(static_cast<std::size_t>(at - out.data()));
  return out;
}
inline std::string inserted(std::string_view name, std::string_view value) { return literal(name, value, 0x40); }

}  // namespace gray::h2
