// Request heads: the request line, then the fields, then what they mean together.
#include <algorithm>

#include "router/http/characters.hpp"
#include "router/wire/head.hpp"
#include "router/wire/head_reader.hpp"
#include "router/wire/target.hpp"

namespace gray::http {

namespace {

constexpr std::size_t kMaxMethod = 32;

Method method_of(std::string_view text) {
  if (is_word(text, "GET")) return Method::get;
  if (is_word(text, "POST")) return Method::post;
  if (is_word(text, "HEAD")) return Method::head;
  if (is_word(text, "PUT")) return Method::put;
  if (is_word(text, "DELETE")) return Method::delete_;
  if (is_word(text, "OPTIONS")) return Method::options;
  if (is_word(text, "PATCH")) return Method::patch;
  if (is_word(text, "TRACE")) return Method::trace;
  if (is_word(text, "CONNECT")) return Method::connect;
  return Method::other;
}

Parse refuse_line(HeadReader& reader, const char* stop, const char* text) {
  if (*stop == '\n') return reader.refuse(stop, 400, "P12", "bare LF in the request line");
  return reader.refuse(stop, 400, "P9", text);
}

// Old clients are known to send one empty line before the request line; it is harmless (P13).
Parse skip_empty_line(HeadReader& reader) {
  if (reader.at == reader.end || *reader.at != '\r') return Parse::complete;
  return end_line(reader, reader.at);
}

Parse read_method(HeadReader& reader, RequestHead& head) {
  const char* stop = skip_token(reader.at, reader.end);
  const auto length = static_cast<std::size_t>(stop - reader.at);
  if (length > kMaxMethod) return reader.refuse(reader.at, 501, "P8", "the method is longer than any known one");
  if (stop == reader.end) return Parse::incomplete;
  if (length == 0 && (is_blank(*stop) || *stop == '\r')) {
    return reader.refuse(stop, 400, "P13", "whitespace before the request line");
  }
  if (*stop != ' ' || length == 0) return refuse_line(reader, stop, "method is not a token and one space");
  head.method_text = {reader.at, length};
  head.method = method_of(head.method_text);
  if (head.method == Method::connect) return reader.refuse(reader.at, 501, "P7", "CONNECT is not offered");
  reader.at = stop + 1;
  return Parse::complete;
}

Parse read_target_text(HeadReader& reader, RequestHead& head) {
  const char* stop = skip_target(reader.at, reader.end);
  if (stop == reader.end) return Parse::incomplete;
  if (stop == reader.at) return refuse_line(reader, stop, "empty target");
  if (*stop != ' ') return refuse_line(reader, stop, "target is not visible ASCII and one space");
  head.target = {reader.at, static_cast<std::size_t>(stop - reader.at)};
  reader.at = stop + 1;
  return Parse::complete;
}

// After the version: the target of a message that is not HTTP/1 follows other rules.
Parse settle_target(HeadReader& reader, RequestHead& head) {
  const Target target = read_target(head.method, head.target);
  if (target.problem != nullptr) return reader.refuse(head.target.data(), 400, "P7", target.problem);
  head.path = target.path_query;
  head.authority = target.authority;
  return Parse::complete;
}

Parse read_version(HeadReader& reader, RequestHead& head) {
  const char* from = reader.at;
  const char* stop = skip_text(from, reader.end);
  if (const Parse ended = end_line(reader, stop); ended != Parse::complete) return ended;
  const std::string_view version{from, static_cast<std::size_t>(stop - from)};
  if (is_word(version, "HTTP/1.1") || is_word(version, "HTTP/1.0")) {
    head.version = version.back() == '1' ? Version::http11 : Version::http10;
    return Parse::complete;
  }
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                           version[6] == '.' && is_digit(version[7]);
  if (well_formed) return reader.refuse(from, 505, "P9", "HTTP version other than 1.0 and 1.1");
  return reader.refuse(from, 400, "P9", "malformed HTTP version");
}

Parse read_request_line(HeadReader& reader, RequestHead& head) {
  if (const Parse done = skip_empty_line(reader); done != Parse::complete) return done;
  if (const Parse done = read_method(reader, head); done != Parse::complete) return done;
  if (const Parse done = read_target_text(reader, head); done != Parse::complete) return done;
  if (const Parse done = read_version(reader, head); done != Parse::complete) return done;
  return settle_target(reader, head);
}

// The authority of an absolute-form target overrides Host, which must nevertheless be present and valid (P6, P7).
Parse settle_host(HeadReader& reader, const Noted& noted, RequestHead& head) {
  if (noted.hosts > 1) return reader.refuse(noted.host.data(), 400, "P6", "more than one Host");
  if (noted.hosts == 0 && head.version == Version::http11) return reader.refuse(reader.at, 400, "P6", "no Host");
  if (noted.hosts == 1 && !is_valid_authority(noted.host)) {
    return reader.refuse(noted.host.data(), 400, "P6", "invalid Host");
  }
  if (head.authority.empty()) head.authority = noted.host;
  if (head.authority.ends_with(':')) head.authority.remove_suffix(1);  // an empty port (RFC 3986 6.2.3)
  return Parse::complete;
}

// Max-Forwards has a meaning for TRACE and OPTIONS only (P3); elsewhere it is forwarded as it is.
Parse settle_hops(HeadReader& reader, const Noted& noted, RequestHead& head) {
  head.hops = kAnyHops;
  if (noted.max_forwards == 0 || (head.method != Method::trace && head.method != Method::options)) {
    return Parse::complete;
  }
  std::uint64_t hops = 0;
  if (noted.max_forwards > 1 || !parse_content_length(noted.hops, hops)) {
    return reader.refuse(noted.hops.data(), 400, "P3", "invalid Max-Forwards");
  }
  head.hops = static_cast<std::uint32_t>(std::min<std::uint64_t>(hops, kMostHops));
  return Parse::complete;
}

// In HTTP/1.0 Expect, TE: trailers and Upgrade are ignored (RFC 9110 10.1.1, 10.1.4 and 7.8). So is an expectation
// without content: clients must not send it, and Apache closes the connection behind one without `Connection: close`
// (P23).
Parse settle(HeadReader& reader, Noted& noted, RequestHead& head) {
  if (const Parse host = settle_host(reader, noted, head); host != Parse::complete) return host;
  if (const Parse hops = settle_hops(reader, noted, head); hops != Parse::complete) return hops;
  const bool current = head.version == Version::http11;
  noted.framing.minor = current ? 1 : 0;
  const FramingResult result = frame_request(noted.framing);
  if (result.status != 0) return reader.refuse(reader.at, result.status, result.rule, result.text);
  if (noted.expect_other) return reader.refuse(reader.at, 417, "P23", "Expect other than 100-continue");
  head.framing = result.framing;
  head.keep_alive = is_persistent(noted, head.version);
  head.body = body_of(head.framing);
  head.expect_continue = noted.expect_continue && current && !head.body.empty();
  head.wants_trailers = noted.te_trailers && current;
  head.trace = noted.traceparents == 1 ? read_traceparent(noted.traceparent) : TraceParent{};
  head.fetch_dest = noted.fetch_dest;
  head.forwards = noted.forwards;
  head.upgrade = noted.upgrade && noted.upgrade_field && current;
  head.size = static_cast<std::size_t>(reader.at - reader.begin);
  head.bytes = {reader.begin, head.size};
  return Parse::complete;
}

}  // namespace

Parse parse_request(std::string_view bytes, const HeadLimits& limits, RequestHead& head, Fault& fault) {
  HeadReader reader(bytes.substr(0, limits.bytes), fault);
  Noted noted;
  const Parse line = read_request_line(reader, head);
  const Parse read = line == Parse::complete ? read_fields(reader, limits.fields, head.fields, noted) : line;
  if (read == Parse::complete) return settle(reader, noted, head);
  if (read == Parse::fault || bytes.size() < limits.bytes) return read;
  return line == Parse::complete ? reader.refuse(reader.end, 431, "P8", "request head too large")
                                 : reader.refuse(reader.end, 414, "P8", "request line too long");
}

}  // namespace gray::http
