#pragma once
// Who the user is: the first of the service's identity sources that is present and not empty. Values in, a text out: no
// clock, no I/O, no allocation.
//
// "issue:NAME" is a source that is always present. If the request has the cookie, its value is the identity, whatever
// it is: grayd never replaces an existing value, which may be the application's own. Otherwise the user is issued one:
// 32 hexadecimal digits, a hash of their address, User-Agent and Accept-Language under a seed of this grayd. The
// decision hashes the same digits that the answer sets as the cookie, so the next request is decided alike; and because
// they are not random, concurrent first requests agree. Users who share all three inputs share the value.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/shared/routing_table.hpp"
#include "router/http/message.hpp"

namespace gray::policy {

using IssuedId = std::array<char, 32>;

struct Identity {
  std::string_view text;                   // into the head or the scratch; empty: no identity
  const IdentitySource* source = nullptr;  // of the route; null: no identity
  bool issued = false;                     // just now: the answer sets the cookie of `source`
};

/// The client of a request. `ip`: the text of its address, if it is known already; else empty.
struct Client {
  Client(const Address& its, std::string_view text = {}) : address(its), ip(text) {}
  const Address& address;
  std::string_view ip;
};

/// Room for a text that is not in the head: an address or an issued value.
using IdentityScratch = std::array<char, 46>;

/// A unix peer has no address: for an issued value its X-Forwarded-For is hashed instead, as an unverified input.
Identity find_identity(const ServiceRoute& route, const http::Fields& fields, const Client& client, std::uint64_t seed,
                       IdentityScratch& scratch);

/// The value of cookie `name` over all Cookie fields, without surrounding quotes; the first one. Only the first
/// targeting::kMaxPairs cookies count.
std::optional<std::string_view> cookie_value(const http::Fields& fields, std::string_view name);

}  // namespace gray::policy
