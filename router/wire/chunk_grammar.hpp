#pragma once
// The grammar of a chunked body (RFC 9112 7.1) as one table, state by class of byte, complete at compile time. Stricter
// than the RFC where parsers are known to differ: no blank behind the size, no extension without a name, CRLF only.
#include <cstdint>

namespace gray::http {

enum class BodyState : std::uint8_t {
  size,  // the first digit of a chunk size
  size_digits,
  ext_start,  // behind ';'
  ext_name,
  ext_name_end,  // blanks behind the name
  value_start,   // behind '='
  value,
  quoted,
  quoted_pair,
  value_closed,  // behind the closing quote
  value_end,     // blanks behind a value
  size_lf,
  data,  // payload: not read by the table but taken in spans
  data_cr,
  data_lf,
  trailer_start,
  trailer_name,
  trailer_value,
  trailer_lf,
  end_lf,
  done,
  failed,
};

/// The state behind `byte`; BodyState::failed if the grammar does not allow it there. From size_lf it is `data`: the
/// caller knows whether that chunk was the last one.
BodyState next_body_state(BodyState state, char byte);

constexpr bool is_extension(BodyState state) { return state >= BodyState::ext_start && state <= BodyState::value_end; }
constexpr bool is_trailer(BodyState state) {
  return state >= BodyState::trailer_start && state <= BodyState::trailer_lf;
}

}  // namespace gray::http
