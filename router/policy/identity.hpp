#pragma once
// Who the user is: the first of the service's identity sources that is present and not empty. Values in, a text out: no
// clock, no I/O, no allocation.
//
// "issue:NAME" is a source that is always present. A user who brings the cookie is its value, whatever that is: grayd
// never replaces a value that is there, it may be the application's own. Who brings none is given one: 32 hexadecimal
// digits made of his address, User-Agent and Accept-Language under a seed of this grayd. The decision hashes those very
// digits, and the answer sets them as the cookie, so the next request decides alike; and because nothing in them is
// random, first requests that come side by side agree. Users who share all three share the value.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/shared/routing_table.hpp"
#include "router/http/message.hpp"

namespace gray::policy {

using IssuedId = std::array<char, 32>;

struct Identity {
  std::string_view text;                  // into the head or the scratch; empty: nobody known
  const IdentitySource* issue = nullptr;  // `text` is new to him: the cookie that says so is to be set
};

/// Room for a text that is not in the head: an address or an issued value.
using IdentityScratch = std::array<char, 46>;

/// `client` is the client's address; a unix peer has none, and is told apart by what it says in X-Forwarded-For where a
/// value is made up (only there, and only as an ingredient: nothing is believed).
Identity find_identity(const ServiceRoute& route, const http::Fields& fields, const Address& client, std::uint64_t seed,
                       IdentityScratch& scratch);

/// The value of cookie `name` over all Cookie fields, without surrounding quotes; the first one.
std::optional<std::string_view> cookie_value(const http::Fields& fields, std::string_view name);

}  // namespace gray::policy
