#pragma once
// Heads of HTTP/1.1 messages: bytes in, offsets out. RFC 9112 sections 2 to 5, read strictly: where the RFC leaves a
// choice the message is refused, because the worker's parser may choose differently.
//
// Model: a caller parses the bytes of the first read, nearly always a whole head: one pass finds its end and checks it.
// After `incomplete` the caller gathers bytes until find_head_end() finds the empty line, or up to the limit, and
// parses again. The result holds views into the caller's bytes; it owns nothing and is reused for the next head (no
// allocation; the previous content is not cleared; only `complete` makes it valid). No I/O, no clock.
//
// Invariants
//  - A head that parses has CRLF line ends only, no bare CR or LF, no NUL or other control byte, no obs-fold, no
//    space before a colon, token names, exactly one Host if HTTP/1.1, and at most one of Content-Length and
//    Transfer-Encoding.
//  - Unknown syntax is refused, never guessed: the fault names the rule (docs/http.md) and the offset.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/http/message.hpp"
#include "router/wire/framing.hpp"

namespace gray::http {

enum class Parse : std::uint8_t { complete, incomplete, fault };

struct RequestHead : Request {
  std::string_view bytes;   // the whole head with its empty line
  std::string_view target;  // as received, absolute-form included
  bool keep_alive = true;   // RFC 9112 9.3: what the client asked for
  bool upgrade = false;     // asks for Connection: upgrade with an Upgrade field
  bool forwards = false;    // has X-Forwarded-* or Forwarded: its peer may be a proxy
  Framing framing;
};

struct ResponseHead : Response {
  std::string_view bytes;
  bool keep_alive = true;  // whether the connection may be used again after this message
  Framing framing;
};

/// Searches the end of a head. `searched` is the caller's memory between calls (start with 0), so that a head which
/// comes byte by byte costs O(n). Returns the length of the head with its empty line, or 0 if it is not there yet.
/// One empty line before a request line is skipped by parse_request(), not here. An empty line that ends in a bare LF
/// counts, so that the parser can refuse it at once.
std::size_t find_head_end(std::string_view bytes, std::size_t& searched);

/// Parses a request head at the start of `bytes`, which may be longer: `head.bytes` is what was consumed.
/// `incomplete`: more bytes are needed (and the limit is not reached).
/// A head that is too large is a fault (431, or 414 while still in the request line) even when incomplete.
Parse parse_request(std::string_view bytes, const HeadLimits& limits, RequestHead& head, Fault& fault);

/// Parses a response head. `to` is the method of the request it answers: HEAD and CONNECT change the framing.
/// Field lines of a response follow the same rules; faults have status 502.
Parse parse_response(std::string_view bytes, const HeadLimits& limits, Method to, ResponseHead& head, Fault& fault);

}  // namespace gray::http
