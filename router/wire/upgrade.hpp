#pragma once
// Upgrades as we offer and take them (RFC 9110 7.8, rule P24). Pure; views into the heads that are asked.
//
// What a worker is offered is what the client asked for, re-issued by us, but never another way of speaking HTTP: an
// upgrade to h2c, HTTP/2 or TLS would let one client's requests go around routing, limits and the log. Such a request,
// one with several Upgrade fields, or with one that is no list of protocols, goes on as an ordinary request.
#include <string_view>

#include "router/wire/head.hpp"

namespace gray::http {

/// The protocols that may be offered to a worker, as the client wrote them; empty: the request asks for no upgrade, or
/// for none that we forward. `head` must have been parsed.
std::string_view offered_protocols(const RequestHead& head);

/// The protocol that a 101 switches to, in its own words; empty unless it names nothing but what was `offered`.
std::string_view taken_protocol(const ResponseHead& head, std::string_view offered);

}  // namespace gray::http
