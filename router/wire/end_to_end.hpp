#pragma once
// Which fields of a message are forwarded to the next hop (RFC 9110 7.6.1): all but the hop-by-hop ones, those that
// Connection names, and those that the router writes itself.
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "router/http/characters.hpp"
#include "router/wire/head.hpp"
#include "router/wire/head_writer.hpp"

namespace gray::http {

/// A set of names; a look-up costs one or two instructions.
class NameSet {
 public:
  constexpr NameSet(std::initializer_list<Name> names) {
    for (const Name name : names) bits_ |= bit(name);
  }
  constexpr NameSet operator|(NameSet other) const {
    other.bits_ |= bits_;
    return other;
  }
  constexpr bool holds(Name name) const { return (bits_ & bit(name)) != 0; }

 private:
  static constexpr std::uint64_t bit(Name name) { return std::uint64_t{1} << static_cast<unsigned>(name); }
  std::uint64_t bits_ = 0;
};

/// Hop-by-hop fields, framing fields included: each side gets its own.
inline constexpr NameSet kHopByHop{Name::connection, Name::keep_alive,        Name::proxy_connection, Name::te,
                                   Name::trailer,    Name::transfer_encoding, Name::content_length,   Name::upgrade};
/// Only the router sets X-Gray-* fields, in both directions.
inline constexpr NameSet kGray{Name::x_gray_version, Name::x_gray_decision, Name::x_gray_reason, Name::x_gray};

/// The names in Connection that can take a field out of the message: those the router does not know. Collected once per
/// message; views into the head.
class Nominated {
 public:
  explicit Nominated(const Fields& fields);
  bool holds(const Field& field) const {
    const bool unknown = field.id == Name::other || field.id == Name::shadow;
    return count_ > 0 && unknown && holds(field.name);
  }
  bool holds(std::string_view name) const;

 private:
  void collect(std::string_view list);

  struct Option {  // like a string_view, but uninitialised: most messages nominate nothing
    const char* data;
    std::size_t size;
  };
  std::array<Option, kMaxListMembers> names_;
  std::size_t count_ = 0;
};

/// Writes the fields that are not in `dropped` and not nominated, in their order. Adjacent lines that already look as
/// we would write them, "Name: value CRLF", are copied in one piece. `fields` must have been parsed.
[[nodiscard]] HeadWriter write_end_to_end(HeadWriter writer, const Fields& fields, NameSet dropped);

}  // namespace gray::http
