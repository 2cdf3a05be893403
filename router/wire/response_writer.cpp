// Responses as the client gets them: our version, our framing, our extras.
#include "router/wire/end_to_end.hpp"
#include "router/wire/forwarding.hpp"
#include "router/wire/head_writer.hpp"

namespace gray::http {

namespace {

// More than the names, separators and fixed values of everything that we add to one response.
constexpr std::size_t kAddedToResponse = 360;
// Likewise to one cookie.
constexpr std::size_t kAddedToCookie = 110;

constexpr NameSet kOurResponseFields = kHopByHop | kGray | NameSet{Name::x_request_id};

// A response without body to a HEAD request, or with status 304, keeps the Content-Length of the representation; 1xx
// and 204 must not have one (RFC 9110 8.6).
HeadWriter write_framing(HeadWriter writer, const Response& head, const Framing& framing) {
  if (head.status < 200 || head.status == 204) return writer;
  writer.framing_field(framing);
  const Field* said = framing.kind == Framing::Kind::none ? head.fields.find(Name::content_length) : nullptr;
  if (said != nullptr) writer.field("Content-Length", said->value);
  return writer;
}

constexpr int kUpgradeRequired = 426;

// A 426 names the protocols that the worker demands (RFC 9110 15.5.22). The fields are hop-by-hop, so they are written
// anew.
HeadWriter write_required_upgrade(HeadWriter writer, const Fields& fields) {
  if (fields.find(Name::upgrade) == nullptr) return writer;
  writer.field("Connection", "Upgrade");
  for (const Field& field : fields)
    if (field.id == Name::upgrade) writer.field("Upgrade", field.value);
  return writer;
}

HeadWriter write_cookie(HeadWriter writer, const SetCookie& cookie) {
  writer.text("Set-Cookie: ");
  writer.text(cookie.name);
  writer.text("=");
  writer.text(cookie.value);
  writer.text("; Path=/");
  if (cookie.life == SetCookie::Life::year) writer.text("; Max-Age=31536000");
  if (cookie.life == SetCookie::Life::expired) writer.text("; Max-Age=0");
  writer.text("; SameSite=");
  writer.text(cookie.same_site);
  if (cookie.http_only) writer.text("; HttpOnly");
  if (cookie.secure) writer.text("; Secure");
  if (cookie.partitioned) writer.text("; Partitioned");
  writer.text(kCrlf);
  return writer;
}

}  // namespace

Framing downstream_framing(const Body& body, Version client) {
  if (body.kind == Body::Kind::none) return {};
  if (body.kind == Body::Kind::sized) return {Framing::Kind::length, body.size};
  return {client == Version::http10 ? Framing::Kind::until_close : Framing::Kind::chunked, 0};
}

std::size_t response_bound(const Response& head, const ResponseExtras& extras) {
  std::size_t bound = head.size + head.fields.count + extras.request_id.size() + extras.version.size() +
                      extras.decision.size() + kAddedToResponse;
  for (const SetCookie& cookie : extras.cookies)
    bound += cookie.name.size() + cookie.value.size() + cookie.same_site.size() + kAddedToCookie;
  return bound;
}

std::size_t write_response(const Response& head, const ResponseExtras& extras, const Hop& hop, char* out) {
  const Framing framing = downstream_framing(head.body, hop.client);
  HeadWriter writer(out);
  writer.text("HTTP/1.1 ");
  writer.status(head.status);
  writer.text(" ");
  writer.text(head.reason);
  writer.text(kCrlf);
  writer = write_end_to_end(writer, head.fields, kOurResponseFields);
  if (!hop.date.empty() && head.fields.find(Name::date) == nullptr) writer.field("Date", hop.date);
  writer.field("Via", head.version == Version::http11 ? "1.1 grayd" : "1.0 grayd");
  writer.optional_field("X-Request-Id", extras.request_id);
  writer.optional_field("X-Gray-Version", extras.version);
  writer.optional_field("X-Gray-Decision", extras.decision);
  for (const SetCookie& cookie : extras.cookies) writer = write_cookie(writer, cookie);
  writer = write_framing(writer, head, framing);
  if (!extras.upgrade.empty()) writer.upgrade(extras.upgrade);
  if (head.status == kUpgradeRequired) writer = write_required_upgrade(writer, head.fields);
  const bool close = hop.close || framing.kind == Framing::Kind::until_close;
  if (close) writer.field("Connection", "close");
  if (!close && hop.keep_alive_10) writer.field("Connection", "keep-alive");
  writer.text(kCrlf);
  return writer.size();
}

}  // namespace gray::http
