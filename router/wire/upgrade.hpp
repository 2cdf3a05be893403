#pragma once
// Which upgrades the router offers to a worker, and which it accepts from one (RFC 9110 7.8, rule P24). Pure; returns
// views into the given heads.
//
// The client's offer is passed on to the worker, but never another version of HTTP: an upgrade to h2c, HTTP/2 or TLS
// would let a client's requests bypass routing, limits and the log. Such a request, or one with several Upgrade fields
// or a malformed one, is forwarded as an ordinary request.
#include <string_view>

#include "router/wire/head.hpp"

namespace gray::http {

/// The protocols that may be offered to a worker, as the client wrote them; empty: the request asks for no upgrade, or
/// for none that we forward. `head` must have been parsed.
std::string_view offered_protocols(const RequestHead& head);

/// The protocol that a 101 switches to, as the 101 names it; empty unless it names only what was `offered`.
std::string_view taken_protocol(const ResponseHead& head, std::string_view offered);

}  // namespace gray::http
