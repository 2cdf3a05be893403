#pragma once
// Heads of HTTP/1.1 messages: bytes in, offsets out. RFC 9112 sections 2 to 5, read strictly: where the RFC leaves a
// choice the message is refused, because the next parser behind us may choose otherwise.
//
// Model: a caller parses what the first read brought, which is nearly always a whole head: one pass finds its end and
// checks it. After `incomplete` it gathers bytes until find_head_end() sees the empty line, or as many as the limit
// allows, and parses again. The result is views into the caller's bytes; it owns nothing and is meant to be reused for
// the next head (no allocation, nothing of the old one is cleared; only `complete` makes it valid). No I/O, no clock.
//
// Invariants
//  - A head that parses has CRLF line ends only, no bare CR or LF, no NUL or other control byte, no obs-fold, no
//    space before a colon, token names, exactly one Host if HTTP/1.1, and at most one of Content-Length and
//    Transfer-Encoding.
//  - What is not understood is refused, never guessed: the fault names the rule (docs/http.md) and the offset.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/http/framing.hpp"
#include "router/http/traceparent.hpp"

namespace gray::http {

inline constexpr std::size_t kMaxFields = 1000;        // the bound of the `fields` setting
inline constexpr std::uint32_t kAnyHops = UINT32_MAX;  // no Max-Forwards, or not one that counts
inline constexpr std::uint32_t kMostHops = 255;        // what a larger Max-Forwards becomes

/// Names that the router itself acts on; everything else is `other` and only passes through. `x_gray` is any other name
/// that begins with X-Gray-, `x_forwarded` one that begins with X-Forwarded-; `shadow` a name with '_' that would be
/// one of the router's own with '-': CGI and WSGI do not tell them apart, so that such a field could pass for one that
/// we vouch for (P31).
enum class Name : std::uint8_t {
  other,
  host,
  connection,
  content_length,
  transfer_encoding,
  te,
  trailer,
  upgrade,
  expect,
  keep_alive,
  proxy_connection,
  proxy_authenticate,
  proxy_authorization,
  authorization,
  cookie,
  via,
  forwarded,
  x_forwarded_for,
  x_forwarded_proto,
  x_forwarded_host,
  x_request_id,
  x_gray_version,
  x_gray_decision,
  x_gray_reason,
  max_forwards,
  traceparent,
  tracestate,
  retry_after,
  date,
  server,
  x_gray,
  x_forwarded,
  shadow
};

struct Field {
  Name id = Name::other;
  std::string_view name;   // as received
  std::string_view value;  // without leading and trailing SP and HTAB
};

enum class Method : std::uint8_t { get, head, post, put, delete_, options, trace, connect, patch, other };
/// RFC 9110 9.2.1 and 9.2.2: what may be sent twice without harm.
bool is_idempotent(Method method);

struct HeadLimits {
  std::size_t bytes = 32 * 1024;  // of the whole head, its empty line included
  std::size_t fields = 100;
};

/// Why a head was refused. `status` is what a client gets (an upstream's bad head is always a 502 to the client).
struct Fault {
  int status = 400;        // 400, 414, 417, 431, 501, 505
  const char* rule = "";   // "P12": the rule's id
  const char* text = "";   // "bare LF in field value"
  std::size_t offset = 0;  // where in the head
};

enum class Parse : std::uint8_t { complete, incomplete, fault };

struct Fields {
  std::array<Field, kMaxFields> items;
  std::size_t count = 0;
  const Field* begin() const { return items.data(); }
  const Field* end() const { return items.data() + count; }
  /// The first field of that name (case-insensitive); null if there is none.
  const Field* find(std::string_view name) const;
  const Field* find(Name id) const;
  /// Whether `Connection` lists this token (case-insensitive).
  bool connection_lists(std::string_view token) const;
};

struct RequestHead {
  std::string_view bytes;  // the whole head with its empty line
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;      // as received, absolute-form included
  std::string_view path_query;  // origin-form of it: what is forwarded ("/" for an empty path, "*" for OPTIONS *)
  std::string_view host;        // from the target if absolute-form, else from Host; as received, port included
  std::uint8_t minor = 1;       // HTTP/1.minor
  bool keep_alive = true;       // RFC 9112 9.3: what the client asked for
  bool expect_continue = false;
  bool wants_trailers = false;    // TE: trailers
  std::uint32_t hops = kAnyHops;  // that a TRACE or OPTIONS may still go (P3)
  TraceParent trace;
  bool upgrade = false;  // asks for Connection: upgrade with an Upgrade field
  Framing framing;
  Fields fields;
};

struct ResponseHead {
  std::string_view bytes;
  int status = 0;  // 100..599
  std::string_view reason;
  std::uint8_t minor = 1;
  bool keep_alive = true;  // whether the connection may be used again after this message
  Framing framing;
  Fields fields;
};

/// Searches the end of a head. `searched` is the caller's memory between calls (start with 0), so that a head which
/// comes byte by byte costs O(n). Returns the length of the head with its empty line, or 0 if it is not there yet.
/// One empty line before a request line is skipped by parse_request(), not here. An empty line that ends in a bare LF
/// counts, so that the parser can refuse it at once.
std::size_t find_head_end(std::string_view bytes, std::size_t& searched);

/// Parses a request head at the start of `bytes`, which may go on behind it: `head.bytes` is what was consumed.
/// `incomplete`: more bytes are needed (and the limit is not reached).
/// A head that is too large is a fault (431, or 414 while still in the request line) even when incomplete.
Parse parse_request(std::string_view bytes, const HeadLimits& limits, RequestHead& head, Fault& fault);

/// Parses a response head. `to` is the method of the request it answers: HEAD and CONNECT change the framing.
/// Field lines of a response are held to the same rules; faults carry status 502.
Parse parse_response(std::string_view bytes, const HeadLimits& limits, Method to, ResponseHead& head, Fault& fault);

bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace gray::http
