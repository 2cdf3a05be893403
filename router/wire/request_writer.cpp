// Requests as the worker gets them: the request line and Host are regenerated, fields about the client are ours.
#include <array>

#include "router/wire/end_to_end.hpp"
#include "router/wire/forwarding.hpp"
#include "router/wire/head_writer.hpp"

namespace gray::http {

namespace {

// More than the names, separators and fixed values of everything that we add to one request.
constexpr std::size_t kAddedToRequest = 512;

// HTTP/1.0 requests may lack Host; the worker gets HTTP/1.1, which must have one.
constexpr std::string_view kHostless = "localhost";

// Always written by us; also the names that look the same to a server that does not distinguish '_' from '-'.
constexpr NameSet kOurRequestFields = kHopByHop | kGray |
                                      NameSet{Name::host,
                                              Name::expect,
                                              Name::x_forwarded_for,
                                              Name::x_forwarded_proto,
                                              Name::x_forwarded_host,
                                              Name::x_forwarded_client_cert,
                                              Name::x_request_id,
                                              Name::shadow,
                                              Name::traceparent,
                                              Name::tracestate};
constexpr NameSet kTrustedOnly{Name::forwarded, Name::x_forwarded};

NameSet dropped_of(const Request& head, const RequestExtras& extras) {
  NameSet dropped = extras.trusted ? kOurRequestFields : kOurRequestFields | kTrustedOnly;
  if (!extras.via) dropped = dropped | NameSet{Name::via};
  return head.hops == kAnyHops ? dropped : dropped | NameSet{Name::max_forwards};
}

// The trusted peer's value, else our own.
std::string_view trusted_or(const Request& head, bool trusted, Name id, std::string_view ours) {
  const Field* theirs = trusted ? head.fields.find(id) : nullptr;
  return theirs != nullptr && !theirs->value.empty() ? theirs->value : ours;
}

// One field even if several came: some frameworks read only the first. Those of a trusted peer come before ours.
HeadWriter write_appended(HeadWriter writer, const Request& head, bool trusted, Name id, std::string_view begin,
                          std::string_view ours) {
  std::string_view separator = begin;
  const auto append = [&](std::string_view value) {
    if (value.empty()) return;
    writer.text(separator);
    writer.text(value);
    separator = ", ";
  };
  if (trusted) {
    for (const Field& field : head.fields) {
      if (field.id == id) append(field.value);
    }
  }
  append(ours);
  if (separator == ", ") writer.text(kCrlf);
  return writer;
}

HeadWriter write_vouched(HeadWriter writer, const Request& head, const RequestExtras& extras) {
  writer = write_appended(writer, head, extras.trusted, Name::x_forwarded_for, "X-Forwarded-For: ", extras.client_ip);
  if (extras.trusted || !extras.client_cert.empty())
    writer = write_appended(writer, head, extras.trusted, Name::x_forwarded_client_cert,
                            "X-Forwarded-Client-Cert: ", extras.client_cert);
  const auto vouch = [&](std::string_view name, Name id, std::string_view ours) {
    writer.optional_field(name, trusted_or(head, extras.trusted, id, ours));
  };
  vouch("X-Forwarded-Proto", Name::x_forwarded_proto, extras.scheme);
  vouch("X-Forwarded-Host", Name::x_forwarded_host, head.authority);
  vouch("X-Request-Id", Name::x_request_id, extras.request_id);
  const bool current = head.version == Version::http11;  // as it was received (9110 7.6.3)
  if (extras.via) writer.field("Via", extras.http2 ? "2.0 grayd" : current ? "1.1 grayd" : "1.0 grayd");
  return writer;
}

// tracestate has no meaning without traceparent.
HeadWriter write_trace(HeadWriter writer, const Request& head, std::string_view span) {
  std::array<char, kTraceParentText> text;
  write_traceparent(head.trace, span, text.data());
  writer.field("traceparent", {text.data(), text.size()});
  for (const Field& field : head.fields) {
    if (field.id == Name::tracestate) writer.field("tracestate", field.value);
  }
  return writer;
}

Framing request_framing(const Body& body) {
  if (body.kind == Body::Kind::none) return {};
  if (body.kind == Body::Kind::sized) return {Framing::Kind::length, body.size};
  return {Framing::Kind::chunked, 0};
}

}  // namespace

std::size_t request_bound(const Request& head, const RequestExtras& extras) {
  // Each field may grow by the blank behind its colon; the host is written up to two more times.
  return head.size + head.fields.count + 2 * head.authority.size() + extras.client_ip.size() +
         extras.request_id.size() + extras.scheme.size() + extras.client_cert.size() + kAddedToRequest;
}

std::size_t write_request(const Request& head, const RequestExtras& extras, char* out) {
  HeadWriter writer(out);
  writer.text(head.method_text);
  writer.text(" ");
  if (head.path.front() == '?') writer.text("/");  // RFC 9112 3.2.1: an empty path is sent as "/"
  writer.text(head.path);
  writer.text(" HTTP/1.1\r\n");
  writer.field("Host", head.authority.empty() ? kHostless : head.authority);
  writer = write_end_to_end(writer, head.fields, dropped_of(head, extras));
  writer = write_vouched(writer, head, extras);
  if (head.hops != kAnyHops) writer.number_field("Max-Forwards", head.hops == 0 ? 0 : head.hops - 1);
  if (head.trace && !extras.span.empty()) writer = write_trace(writer, head, extras.span);
  if (head.wants_trailers && extras.trailers) writer.text("TE: trailers\r\nConnection: TE\r\n");
  if (extras.keep_body) {
    writer.framing_field(extras.length ? Framing{Framing::Kind::length, *extras.length} : request_framing(head.body));
    if (head.expect_continue && extras.expect) writer.field("Expect", "100-continue");
  }
  if (!extras.upgrade.empty()) writer.upgrade(extras.upgrade);
  writer.text(kCrlf);
  return writer.size();
}

}  // namespace gray::http
