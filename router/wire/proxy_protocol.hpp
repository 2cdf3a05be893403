#pragma once
// The PROXY protocol, versions 1 (a line) and 2 (binary): a load balancer names the client before the first byte of
// HTTP. Bytes in, an address out; no I/O, no clock, no state between calls.
//
// Model: a connection that must begin with such a header gathers bytes, at most kMaxProxyHeader, and parses them again
// whenever more have come. `length` bytes are then the header, everything behind it is HTTP.
//
// Invariants
//  - Strict: a header that deviates from the protocol is refused. A wrong byte is refused as soon as it arrives, so the
//    router does not wait for the end of something that is not a header.
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
  std::optional<Address> source;  // the client; none for UNKNOWN, LOCAL, or a family other than TCP over IPv4 and
                                  // IPv6: then the peer itself is the client
};

/// `complete` fills `header`, `fault` fills `fault` (status 400, rule "PROXY"); `incomplete` changes nothing.
Parse parse_proxy_header(std::string_view bytes, ProxyHeader& header, Fault& fault);

}  // namespace gray::http
