#pragma once
// What the router adds to the messages that it forwards, and what its own answers contain.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gray::http {

/// What is added to a forwarded request.
struct RequestExtras {
  std::string_view client_ip;   // the peer: appended to X-Forwarded-For if `trusted`, else in its place; empty: unix
  bool trusted = false;         // the peer is a trusted proxy: its X-Forwarded-*, Forwarded, X-Request-Id count
  std::string_view request_id;  // replaces X-Request-Id unless trusted and present
  std::string_view scheme;      // of the client's connection, for X-Forwarded-Proto
  bool keep_body = true;        // false: the body was dropped, so no framing field and no Expect is written
  std::string_view span;        // kSpanId hex digits: ours, the parent of what the worker does in a trace
  bool expect = true;           // false: the worker would not understand Expect
  bool trailers = true;         // likewise: TE, and trailers in its answer
  std::optional<std::uint64_t> length = {};  // of a body in chunks that is complete: it is sent with its length
  std::string_view upgrade;           // offered to the worker: Connection and Upgrade are written; empty: neither is
  bool via = true;                    // false: no Via at all, not even that of the client
  bool http2 = false;                 // the client sent it in HTTP/2: Via says so
  std::string_view client_cert = {};  // for X-Forwarded-Client-Cert: added if `trusted`, else in its place; empty: none
};

/// A cookie that the router sets, on every path.
struct SetCookie {
  enum class Life : std::uint8_t { year, session, expired };  // expired: the browser removes it
  std::string_view name;                                      // a token
  std::string_view value;
  Life life = Life::year;
  bool http_only = true;
  bool secure = false;
  bool partitioned = false;
  std::string_view same_site = "Lax";
};

/// What is added to a forwarded response. Empty views are left out; fields of these names from upstream are always
/// removed.
struct ResponseExtras {
  std::string_view request_id;
  std::string_view version;            // X-Gray-Version
  std::string_view decision;           // X-Gray-Decision
  std::span<const SetCookie> cookies;  // beside the worker's own
  std::string_view upgrade;            // of a 101, what it switches to: Connection and Upgrade are written
};

/// An answer of the router itself, head and short text body in one.
struct LocalAnswer {
  int status = 503;
  std::string_view reason;  // X-Gray-Reason
  std::string_view detail;  // one line for people; becomes the body together with the status
  std::string_view request_id, version, decision;
  std::string_view allow;         // Allow; such an answer has no body
  std::uint32_t retry_after = 0;  // seconds; 0: no Retry-After
  bool close = false;             // request bytes are unread: no further request can be understood
  bool head_request = false;      // Content-Length is written, the body is not sent
};

}  // namespace gray::http
