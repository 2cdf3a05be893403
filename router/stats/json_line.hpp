#pragma once
// One flat JSON object on one line, written into a caller's buffer without allocation. Pure.
//
// Untrusted text is safe to write: the output is valid JSON and valid UTF-8 without the control characters of
// config/base/printable.hpp, so it can neither end the line nor reach a terminal. A byte that is not part of valid
// UTF-8 becomes \u00XX, so a reader sees it as the Latin-1 character of the same number.
//
// The writer checks no bounds. The caller's buffer holds the sum of max_text() and kMaxScalar of its members, and
// kMaxFrame.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "config/base/decimal.hpp"
#include "router/stats/hex.hpp"
#include "router/stats/line_clock.hpp"

namespace gray::stats {

/// Writes `value` as the inside of a JSON string, at most six bytes for each byte; returns the end of the output.
char* write_json_text(std::string_view value, char* out);

class JsonLine {
 public:
  explicit JsonLine(char* out) : begin_(out), end_(out) { put('{'); }

  // Names are literals that need no escapes, at most kMaxName long. The members are inlined, so that their names become
  // immediate values and the position in the buffer stays in a register.
  /// Of `value` at most `limit` bytes are written.
  [[gnu::always_inline]] void text(std::string_view name, std::string_view value, std::size_t limit) {
    put_name(name);
    put('"');
    end_ = write_json_text(value.substr(0, limit), end_);
    raw("\",");
  }
  /// The same for a text that is known to need no escapes.
  [[gnu::always_inline]] void plain(std::string_view name, std::string_view value, std::size_t limit) {
    put_name(name);
    put('"');
    value = value.substr(0, limit);
    end_ = std::copy(value.begin(), value.end(), end_);
    raw("\",");
  }
  [[gnu::always_inline]] void number(std::string_view name, std::uint64_t value) {
    put_name(name);
    end_ = write_decimal(value, end_);
    put(',');
  }
  [[gnu::always_inline]] void boolean(std::string_view name, bool value) {
    put_name(name);
    raw(value ? "true," : "false,");
  }
  [[gnu::always_inline]] void null(std::string_view name) {
    put_name(name);
    raw("null,");
  }
  /// A string of 16 digits.
  [[gnu::always_inline]] void hex(std::string_view name, std::uint64_t value) {
    put_name(name);
    put('"');
    write_hex(value, end_);
    end_ += kHexText;
    raw("\",");
  }
  [[gnu::always_inline]] void timestamp(std::string_view name, WallTime value, LineClock& clock) {
    put_name(name);
    put('"');
    clock.write(value, end_);
    end_ += kTimeText;
    raw("\",");
  }
  /// Members that another JsonLine wrote: its inside().
  [[gnu::always_inline]] void members(std::string_view written) { raw(written); }
  /// The text so far, without the opening brace: members, each with a comma behind it.
  std::string_view inside() const { return {begin_ + 1, static_cast<std::size_t>(end_ - begin_) - 1}; }
  /// Closes the object, adds the line end and returns the length of all. Last call.
  std::size_t finish() {
    if (end_ - begin_ > 1) --end_;  // the comma behind the last member
    raw("}\n");
    return static_cast<std::size_t>(end_ - begin_);
  }

  static constexpr std::size_t kMaxName = 16;
  static constexpr std::size_t kMaxFrame = 3;  // { } and the line end
  /// A text member: quoted name, colon, quotes, comma, and six characters ("\u00ff") for each byte.
  static constexpr std::size_t max_text(std::size_t limit) { return kMaxName + 6 + 6 * limit; }
  static constexpr std::size_t max_plain(std::size_t limit) { return kMaxName + 6 + limit; }
  /// Any other member: the longest value is a time in quotes.
  static constexpr std::size_t kMaxScalar = kMaxName + 6 + kTimeText;

 private:
  [[gnu::always_inline]] void put_name(std::string_view name) {
    assert(name.size() <= kMaxName);
    put('"');
    raw(name);
    raw("\":");
  }
  [[gnu::always_inline]] void raw(std::string_view text) {
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
  }
  [[gnu::always_inline]] void put(char c) { *end_++ = c; }

  char* begin_;
  char* end_;
};

}  // namespace gray::stats
