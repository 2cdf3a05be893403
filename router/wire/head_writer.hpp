#pragma once
// Appends the parts of a head to memory that the caller has measured; no checks, no allocation.
//
// A writer is a value: a function that writes a part takes one and returns the advanced one. By reference its position
// would have to be in memory, to be read and written again around each byte of text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/base/decimal.hpp"
#include "router/wire/framing.hpp"

namespace gray::http {

inline constexpr std::string_view kCrlf = "\r\n";

class HeadWriter {
 public:
  explicit HeadWriter(char* out) : begin_(out), at_(out) {}

  // All are always inlined: most of the text is literal, and its bytes become immediate values.
  [[gnu::always_inline]] void text(std::string_view text) {
    std::char_traits<char>::copy(at_, text.data(), text.size());  // memcpy that takes an empty view
    at_ += text.size();
  }
  [[gnu::always_inline]] void number(std::uint64_t value) { at_ = write_decimal(value, at_); }
  [[gnu::always_inline]] void status(int code) {  // three digits
    *at_++ = static_cast<char>('0' + code / 100);
    *at_++ = static_cast<char>('0' + code / 10 % 10);
    *at_++ = static_cast<char>('0' + code % 10);
  }
  [[gnu::always_inline]] void field(std::string_view name, std::string_view value) {
    text(name);
    text(": ");
    text(value);
    text(kCrlf);
  }
  [[gnu::always_inline]] void number_field(std::string_view name, std::uint64_t value) {
    text(name);
    text(": ");
    number(value);
    text(kCrlf);
  }
  [[gnu::always_inline]] void optional_field(std::string_view name, std::string_view value) {
    if (!value.empty()) field(name, value);
  }
  /// The framing field of a message, if its framing has one.
  [[gnu::always_inline]] void framing_field(const Framing& framing) {
    if (framing.kind == Framing::Kind::length) number_field("Content-Length", framing.length);
    if (framing.kind == Framing::Kind::chunked) field("Transfer-Encoding", "chunked");
  }
  /// Hop-by-hop, so the router always writes it itself.
  [[gnu::always_inline]] void upgrade(std::string_view protocols) {
    field("Connection", "Upgrade");
    field("Upgrade", protocols);
  }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
};

}  // namespace gray::http
