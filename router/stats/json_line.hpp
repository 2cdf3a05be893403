#pragma once
// One flat JSON object on one line, written into a caller's buffer without allocation. Pure.
//
// Untrusted text is safe to write: what comes out is valid JSON and valid UTF-8 without control characters, so it can
// neither end the line nor reach a terminal. A byte that is not part of valid UTF-8 becomes \u00XX, so a reader sees it
// as the Latin-1 character of the same number.
//
// The writer checks no bounds. The caller's buffer holds the sum of max_text() and kMaxScalar of its members, and
// kMaxFrame.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/stats/line_clock.hpp"

namespace gray::stats {

class JsonLine {
 public:
  explicit JsonLine(char* out) : begin_(out), end_(out) {}

  /// `name` is a literal that needs no escapes. Of `value` at most `limit` bytes are written.
  void text(std::string_view name, std::string_view value, std::size_t limit);
  void number(std::string_view name, std::uint64_t value);
  void boolean(std::string_view name, bool value);
  void null(std::string_view name);
  void hex(std::string_view name, std::uint64_t value);  // a string of 16 digits
  void timestamp(std::string_view name, WallTime value, LineClock& clock);
  /// Closes the object, adds the line end and returns the length of all. Last call.
  std::size_t finish();

  static constexpr std::size_t kMaxName = 16;
  static constexpr std::size_t kMaxFrame = 3;  // { } and the line end
  /// A text member: comma, quoted name, colon, quotes, and six characters ("\u00ff") for each byte.
  static constexpr std::size_t max_text(std::size_t limit) { return kMaxName + 6 + 6 * limit; }
  /// Any other member: the longest value is a time in quotes.
  static constexpr std::size_t kMaxScalar = kMaxName + 6 + kTimeText;

 private:
  void name(std::string_view name);
  void raw(std::string_view text);
  void put(char c) { *end_++ = c; }
  void escaped(unsigned char byte);

  char* begin_;
  char* end_;
};

/// The length of the UTF-8 character at the start of `text` (RFC 3629: no overlong forms, no surrogates, at most
/// U+10FFFF); 0 if there is none.
std::size_t utf8_length(std::string_view text);

}  // namespace gray::stats
