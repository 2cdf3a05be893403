#pragma once
// What reading a request head and reading a response head share: a place in the bytes, the end of a line, and the field
// lines. A reader stops at the end of what it was given with `incomplete`, so that one pass both finds and checks a
// head.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "router/wire/head.hpp"

namespace gray::http {

/// More options than this in `Connection` are an attempt to make us compare (each may name a field to remove).
inline constexpr std::uint32_t kMaxConnectionOptions = 32;

struct HeadReader {
  const char* begin;
  const char* at;   // the next byte to read
  const char* end;  // of the bytes there are, or of the largest head allowed
  Fault& fault;

  HeadReader(std::string_view bytes, Fault& f) : begin(bytes.data()), at(begin), end(begin + bytes.size()), fault(f) {}
  Parse refuse(const char* where, int status, const char* rule, const char* text);
};

/// What is at `stop` instead of a CRLF: more to come, or a fault (P12, P14).
Parse refuse_line_end(HeadReader& reader, const char* stop);

/// Steps behind the CRLF that must be at `stop`, where skip_text() stopped.
inline Parse end_line(HeadReader& reader, const char* stop) {
  if (reader.end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') return refuse_line_end(reader, stop);
  reader.at = stop + 2;
  return Parse::complete;
}

/// What the fields said to the router, noted while they were read.
struct Noted {
  FramingFields framing;
  std::uint32_t hosts = 0;
  std::string_view host;
  std::uint32_t connection_options = 0;
  bool close = false, keep_alive = false, upgrade = false;  // options of Connection
  bool upgrade_field = false;
  bool expect_continue = false, expect_other = false;
  bool te_trailers = false;
  std::uint32_t max_forwards = 0, traceparents = 0;  // how many, and the last one
  std::string_view hops, traceparent;
};

/// Reads field lines up to and with the empty line, at most `limit` of them.
Parse read_fields(HeadReader& reader, std::size_t limit, Fields& fields, Noted& noted);

/// RFC 9112 9.3: HTTP/1.1 goes on unless told to close, HTTP/1.0 closes unless asked to go on.
bool is_persistent(const Noted& noted, Version version);

}  // namespace gray::http
