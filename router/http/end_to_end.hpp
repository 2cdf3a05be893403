#pragma once
// Which fields of a message go on to the next hop (RFC 9110 7.6.1): all but the hop-by-hop ones, those that Connection
// names, and those that the router writes itself.
#include <array>
#include <cstddef>
#include <string_view>

#include "router/http/head.hpp"
#include "router/http/head_reader.hpp"

namespace gray::http {

/// The names in Connection that can take a field out of the message: those the router does not know. Collected once per
/// message; views into the head.
class Nominated {
 public:
  explicit Nominated(const Fields& fields);
  bool holds(std::string_view name) const;

 private:
  void collect(std::string_view list);

  std::array<std::string_view, kMaxConnectionOptions> names_;
  std::size_t count_ = 0;
};

/// Fields about this hop and no other, framing fields included: each side's are written anew.
bool is_hop_by_hop(Name id);

}  // namespace gray::http
