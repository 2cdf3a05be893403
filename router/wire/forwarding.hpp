#pragma once
// Heads as they leave us: hop-by-hop fields removed, ours added, never raw bytes. Head in, bytes out; RFC 9110 7.6.
//
// A field named in `Connection` is removed, but never one that the router knows (Name other than `other`): a client
// must not take Content-Length, Host, Authorization, Cookie or what we vouch for out of a message (P1).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/http/additions.hpp"
#include "router/wire/head.hpp"

namespace gray::http {

/// The framing that the client gets: until_close and chunked bodies become chunked for HTTP/1.1 and close-delimited for
/// HTTP/1.0 (the caller must then close); a length stays a length.
Framing downstream_framing(const Framing& upstream, std::uint8_t client_minor);

/// An upper bound of what the writers below produce, in bytes.
std::size_t request_bound(const RequestHead& head, const RequestExtras& extras);
std::size_t response_bound(const ResponseHead& head, const ResponseExtras& extras);

/// Writes the head to `out` (at least the bound) and returns its length. HTTP/1.1, Via added, the framing of `head`
/// written by us. No allocation. A 1xx but 101 is written with empty extras; a body that ends with the connection says
/// `Connection: close` by itself.
std::size_t write_request(const RequestHead& head, const RequestExtras& extras, char* out);
std::size_t write_response(const ResponseHead& head, const ResponseExtras& extras, char* out);

/// At most kMaxLocalAnswer bytes: every text is cut to fit, and a control byte in it becomes '?'.
inline constexpr std::size_t kMaxLocalAnswer = 2048;
std::size_t write_local_answer(const LocalAnswer& answer, char* out);

/// The standard reason phrase of a status, "Unknown" for others.
std::string_view reason_phrase(int status);

}  // namespace gray::http
