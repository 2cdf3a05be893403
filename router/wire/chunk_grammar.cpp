#include "router/wire/chunk_grammar.hpp"

#include <array>
#include <cstddef>
#include <string_view>

#include "router/http/characters.hpp"

namespace gray::http {

namespace {

enum class Class : std::uint8_t {
  hex,
  token,
  semicolon,
  equals,
  quote,
  backslash,
  colon,
  blank,
  text,
  cr,
  lf,
  control
};
constexpr std::size_t kClasses = static_cast<std::size_t>(Class::control) + 1;
constexpr std::size_t kStates = static_cast<std::size_t>(BodyState::failed) + 1;

constexpr Class classify(char c) {
  constexpr std::string_view kMarks = ";=\"\\:";
  if (is_hex(c)) return Class::hex;
  if (is_token(c)) return Class::token;
  if (const std::size_t mark = kMarks.find(c); mark != std::string_view::npos) {
    return static_cast<Class>(static_cast<std::size_t>(Class::semicolon) + mark);
  }
  if (is_blank(c)) return Class::blank;
  if (is_text(c)) return Class::text;
  if (c == '\r') return Class::cr;
  return c == '\n' ? Class::lf : Class::control;
}

constexpr auto kClassOf = [] {
  std::array<Class, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) classes[c] = classify(static_cast<char>(c));
  return classes;
}();

using Row = std::array<BodyState, kClasses>;
using Table = std::array<Row, kStates>;

struct Rules {
  Table table{};

  constexpr Rules() {
    for (Row& row : table) row.fill(BodyState::failed);
  }
  constexpr void on(BodyState from, Class byte, BodyState to) {
    table[static_cast<std::size_t>(from)][static_cast<std::size_t>(byte)] = to;
  }
  constexpr void on_token(BodyState from, BodyState to) {
    on(from, Class::hex, to);
    on(from, Class::token, to);
  }
  constexpr void on_text(BodyState from, BodyState to) {
    for (auto c = Class::hex; c < Class::cr; c = static_cast<Class>(static_cast<int>(c) + 1)) on(from, c, to);
  }
};

constexpr void extension_rules(Rules& rules) {
  using S = BodyState;
  rules.on(S::ext_start, Class::blank, S::ext_start);
  rules.on_token(S::ext_start, S::ext_name);
  rules.on_token(S::ext_name, S::ext_name);
  for (const S name : {S::ext_name, S::ext_name_end}) {
    rules.on(name, Class::blank, S::ext_name_end);
    rules.on(name, Class::equals, S::value_start);
    rules.on(name, Class::semicolon, S::ext_start);
  }
  rules.on(S::ext_name, Class::cr, S::size_lf);
  rules.on(S::value_start, Class::blank, S::value_start);
  rules.on_token(S::value_start, S::value);
  rules.on(S::value_start, Class::quote, S::quoted);
  rules.on_token(S::value, S::value);
  rules.on_text(S::quoted, S::quoted);
  rules.on(S::quoted, Class::backslash, S::quoted_pair);
  rules.on(S::quoted, Class::quote, S::value_closed);
  rules.on_text(S::quoted_pair, S::quoted);
  for (const S value : {S::value, S::value_closed}) rules.on(value, Class::cr, S::size_lf);
  for (const S value : {S::value, S::value_closed, S::value_end}) {
    rules.on(value, Class::blank, S::value_end);
    rules.on(value, Class::semicolon, S::ext_start);
  }
}

constexpr Table make_table() {
  using S = BodyState;
  Rules rules;
  rules.on(S::size, Class::hex, S::size_digits);
  rules.on(S::size_digits, Class::hex, S::size_digits);
  rules.on(S::size_digits, Class::semicolon, S::ext_start);
  rules.on(S::size_digits, Class::cr, S::size_lf);
  extension_rules(rules);
  rules.on(S::size_lf, Class::lf, S::data);
  rules.on(S::data_cr, Class::cr, S::data_lf);
  rules.on(S::data_lf, Class::lf, S::size);
  rules.on_token(S::trailer_start, S::trailer_name);
  rules.on(S::trailer_start, Class::cr, S::end_lf);
  rules.on_token(S::trailer_name, S::trailer_name);
  rules.on(S::trailer_name, Class::colon, S::trailer_value);
  rules.on_text(S::trailer_value, S::trailer_value);
  rules.on(S::trailer_value, Class::cr, S::trailer_lf);
  rules.on(S::trailer_lf, Class::lf, S::trailer_start);
  rules.on(S::end_lf, Class::lf, S::done);
  return rules.table;
}

constexpr Table kTable = make_table();

}  // namespace

BodyState next_body_state(BodyState state, char byte) {
  const Class c = kClassOf[static_cast<unsigned char>(byte)];
  return kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(c)];
}

}  // namespace gray::http
