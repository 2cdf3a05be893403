#pragma once
// Heads as the router sends them: hop-by-hop fields removed, ours added, never the received bytes as they are. Head in,
// bytes out; RFC 9110 7.6.
//
// A field named in `Connection` is removed, but never one that the router knows (Name other than `other`): a client
// must not be able to remove Content-Length, Host, Authorization, Cookie or fields that we vouch for (P1).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/http/additions.hpp"
#include "router/wire/head.hpp"

namespace gray::http {

/// The client's connection as an answer describes it; HTTP/1.
struct Hop {
  Version client = Version::http11;
  bool close = false;          // adds Connection: close
  bool keep_alive_10 = false;  // the client is HTTP/1.0 and asked for it: adds Connection: keep-alive
  std::string_view date;       // for an answer without Date (RFC 9110 6.6.1); empty: none is added
};

/// The framing that the client gets: an open body becomes chunked for HTTP/1.1 and close-delimited for HTTP/1.0 (the
/// caller must then close); a length stays a length.
Framing downstream_framing(const Body& body, Version client);

/// An upper bound of what the writers below produce, in bytes.
std::size_t request_bound(const Request& head, const RequestExtras& extras);
std::size_t response_bound(const Response& head, const ResponseExtras& extras);

/// Writes the head to `out` (at least the bound) and returns its length. HTTP/1.1, Via added, the framing of the body
/// written by us. No allocation. A 1xx other than 101 is written with empty extras; a body that ends with the
/// connection gets `Connection: close`.
std::size_t write_request(const Request& head, const RequestExtras& extras, char* out);
std::size_t write_response(const Response& head, const ResponseExtras& extras, const Hop& hop, char* out);

/// At most kMaxLocalAnswer bytes: every text is cut to fit, and a control byte in it becomes '?'.
inline constexpr std::size_t kMaxLocalAnswer = 2048;
std::size_t write_local_answer(const LocalAnswer& answer, const Hop& hop, char* out);

/// The standard reason phrase of a status, "Unknown" for others.
std::string_view reason_phrase(int status);

}  // namespace gray::http
