#pragma once
// Heads as they leave us: hop-by-hop fields removed, ours added, never raw bytes. Head in, bytes out; RFC 9110 7.6.
//
// A field named in `Connection` is removed, but never one that the router knows (Name other than `other`): a client
// must not take Content-Length, Host, Authorization, Cookie or what we vouch for out of a message (P1).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/http/head.hpp"

namespace gray::http {

/// What the forwarded request says beyond what came.
struct RequestExtras {
  std::string_view client_ip;   // the peer: appended to X-Forwarded-For if `trusted`, else in its place; empty: unix
  bool trusted = false;         // the peer is a trusted proxy: its X-Forwarded-*, Forwarded, X-Request-Id count
  std::string_view request_id;  // replaces X-Request-Id unless trusted and present
  std::string_view proto = "http";  // of the downstream connection, for X-Forwarded-Proto
  bool keep_body = true;            // false: the body was dropped, so no framing field and no Expect is written
  std::string_view span;            // kSpanId hex digits: ours, the parent of what the worker does in a trace
  bool expect = true;               // false: the worker would not understand Expect
  std::string_view upgrade;         // offered to the worker: Connection and Upgrade are written; empty: neither is
};

/// A cookie that we set for a year, on every path: nothing but an identity, so out of reach of scripts.
struct SetCookie {
  std::string_view name;  // a token; empty: none is set
  std::string_view value;
};

/// What the forwarded response says beyond what came. Empty views are left out; fields of these names from upstream are
/// always removed.
struct ResponseExtras {
  std::string_view request_id;
  std::string_view version;    // X-Gray-Version
  std::string_view decision;   // X-Gray-Decision
  SetCookie cookie;            // beside the worker's own
  bool close = false;          // adds Connection: close
  bool keep_alive_10 = false;  // the client is HTTP/1.0 and asked for it: adds Connection: keep-alive
  std::uint8_t client_minor = 1;
  std::string_view upgrade;  // of a 101, what it switches to: Connection and Upgrade are written
};

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

/// An answer of the router itself, head and short text body in one, at most kMaxLocalAnswer bytes: every text is cut to
/// fit, and a control byte in it becomes '?'.
struct LocalAnswer {
  int status = 503;
  std::string_view reason;  // X-Gray-Reason
  std::string_view detail;  // one line for people; becomes the body together with the status
  std::string_view request_id, version, decision;
  std::string_view allow;         // Allow; such an answer has no body
  std::uint32_t retry_after = 0;  // seconds; 0: no Retry-After
  bool close = false;
  bool head_request = false;  // the length is said, the body is not sent
  std::uint8_t client_minor = 1;
  bool keep_alive_10 = false;
};
inline constexpr std::size_t kMaxLocalAnswer = 2048;
std::size_t write_local_answer(const LocalAnswer& answer, char* out);

/// The standard reason phrase of a status, "Unknown" for others.
std::string_view reason_phrase(int status);

}  // namespace gray::http
