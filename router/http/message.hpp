#pragma once
// HTTP messages without their wire format: methods, fields and the faults of a message (RFC 9110). Views into bytes of
// the caller; nothing is owned or allocated.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/http/traceparent.hpp"

namespace gray::http {

inline constexpr std::size_t kMaxFields = 1000;        // the bound of the `fields` setting
inline constexpr std::uint32_t kAnyHops = UINT32_MAX;  // no Max-Forwards, or not one that counts
inline constexpr std::uint32_t kMostHops = 255;        // what a larger Max-Forwards becomes

/// Names that the router itself acts on; everything else is `other` and only passes through. `x_gray` is any other name
/// that begins with X-Gray-, `x_forwarded` one that begins with X-Forwarded-; `shadow` a name with '_' that would be
/// one of the router's own with '-': CGI and WSGI do not distinguish the two, so such a field could be taken for one
/// that the router vouches for (P31).
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
  x_forwarded_client_cert,
  x_request_id,
  x_gray_version,
  x_gray_decision,
  x_gray_reason,
  max_forwards,
  traceparent,
  tracestate,
  sec_fetch_dest,
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
/// RFC 9110 9.2.1 and 9.2.2: whether sending it twice is harmless.
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

/// The HTTP/1 that a message came in, for Via.
enum class Version : std::uint8_t { http10, http11 };

/// The body that a head announces.
struct Body {
  enum class Kind : std::uint8_t { none, sized, open };  // open: it lasts until its end is seen
  Kind kind = Kind::none;
  std::uint64_t size = 0;  // of Kind::sized
  bool empty() const { return kind == Kind::none || (kind == Kind::sized && size == 0); }
  bool operator==(const Body&) const = default;
};

/// A request without its connection, which determines the scheme. One byte behind each name and value of `fields` is
/// readable.
struct Request {
  Version version = Version::http11;
  Method method = Method::get;
  std::string_view method_text;
  std::string_view path;       // with its query: "/..." or "?..." (an empty path), "*" for OPTIONS *
  std::string_view authority;  // as received, port included
  Body body;
  bool expect_continue = false;
  bool wants_trailers = false;    // TE: trailers
  std::uint32_t hops = kAnyHops;  // that a TRACE or OPTIONS may still go (P3)
  TraceParent trace;
  std::string_view fetch_dest;  // Sec-Fetch-Dest: what a browser needs the answer for
  std::size_t size = 0;         // of the head with its line ends; the forwarded head is not much larger
  Fields fields;
};

struct Response {
  Version version = Version::http11;
  int status = 0;  // 100..599
  std::string_view reason;
  Body body;
  std::size_t size = 0;  // as above
  Fields fields;
};

bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace gray::http
