#pragma once
// Shared by the readers of request heads and response heads: a position in the bytes, the end of a line, and the field
// lines. A reader stops at the end of its input with `incomplete`, so one pass both finds and checks a head.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/wire/head.hpp"

namespace gray::http {

struct HeadReader {
  const char* begin;
  const char* at;   // the next byte to read
  const char* end;  // of the available bytes, or of the largest allowed head
  Fault& fault;

  HeadReader(std::string_view bytes, Fault& f) : begin(bytes.data()), at(begin), end(begin + bytes.size()), fault(f) {}
  Parse refuse(const char* where, int status, const char* rule, const char* text);
};

/// Judges a missing CRLF at `stop`: incomplete, or a fault (P12, P14).
Parse refuse_line_end(HeadReader& reader, const char* stop);

/// Steps behind the CRLF that must be at `stop`, where skip_text() stopped.
inline Parse end_line(HeadReader& reader, const char* stop) {
  if (reader.end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') return refuse_line_end(reader, stop);
  reader.at = stop + 2;
  return Parse::complete;
}

/// Field values that the router acts on, noted while the fields were read.
struct Noted {
  FramingFields framing;
  std::uint32_t hosts = 0;
  std::string_view host;
  // Members of the lists that are read; each is counted up to one more than kMaxListMembers, then no further.
  std::uint32_t connection_options = 0, codings = 0, protocols = 0;
  bool crowded = false;                                     // one of them has more than kMaxListMembers
  bool close = false, keep_alive = false, upgrade = false;  // options of Connection
  bool upgrade_field = false;
  bool expect_continue = false, expect_other = false;
  bool te_trailers = false;
  bool forwards = false;                             // X-Forwarded-* or Forwarded
  std::uint32_t max_forwards = 0, traceparents = 0;  // how many, and the last one
  std::string_view hops, traceparent;
  std::string_view fetch_dest;
};

/// Reads field lines up to and with the empty line, at most `limit` of them.
Parse read_fields(HeadReader& reader, std::size_t limit, Fields& fields, Noted& noted);

/// RFC 9112 9.3: HTTP/1.1 keeps the connection unless `close` is present, HTTP/1.0 closes it unless `keep-alive` is.
bool is_persistent(const Noted& noted, Version version);

}  // namespace gray::http
