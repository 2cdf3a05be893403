#pragma once
// The PROXY protocol, versions 1 (a line) and 2 (binary): what a load balancer says of the client before the first byte
// of HTTP. Bytes in, an address out; no I/O, no clock, no state between calls.
//
// Model: a connection that must begin with such a header gathers bytes, at most kMaxProxyHeader, and parses them again
// whenever more have come. `length` bytes are then the header, everything behind it is HTTP.
//
// Invariants
//  - Strict: whoever may name clients speaks the protocol exactly or is not heard. A wrong byte is refused as soon as
//  it
//    is there, so that nobody waits for the end of what is no header.
//  - The same bytes give the same result, whole or in pieces, whatever follows them.
#include <cstddef>
#include <optional>
#include <string_view>

#include "config/base/address.hpp"
#include "router/wire/head.hpp"

namespace gray::http {

inline constexpr std::size_t kMaxProxyLine =
    107;  // bytes of a version 1 header with its CRLF: the protocol's own bound
inline constexpr std::size_t kMaxProxyHeader = 2048;  // bytes of any header; version 2 may carry extensions up to there

struct ProxyHeader {
  std::size_t length = 0;         // bytes of the header, at the start of the input
  std::optional<Address> source;  // the client; none where the sender names none that is ours: UNKNOWN, LOCAL, or
                                  // another family than TCP over IPv4 and IPv6. The peer itself is the client then
};

/// `complete` fills `header`, `fault` fills `fault` (status 400, rule "PROXY"); `incomplete` changes nothing.
Parse parse_proxy_header(std::string_view bytes, ProxyHeader& header, Fault& fault);

}  // namespace gray::http
