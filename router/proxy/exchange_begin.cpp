// The first half of an exchange: from a parsed head to a version, before any worker is involved.
#include <cstdint>

#include "router/http/upgrade.hpp"
#include "router/proxy/exchange.hpp"
#include "router/proxy/recorder.hpp"

namespace gray::proxy {

using segment::Decision;
using segment::Reason;
using segment::Side;

namespace {

// A fault of the head as the reason that the client is told (contract 2.4).
Reason reason_of(const http::Fault& fault) {
  switch (fault.status) {
    case 408: return Reason::request_timeout;
    case 413: return Reason::too_large;
    case 414: return Reason::target_too_long;
    case 417: return Reason::expectation_failed;
    case 431: return Reason::head_too_large;
    case 501: return Reason::unsupported;
    case 503: return Reason::overloaded;
    case 505: return Reason::version_unsupported;
    default: return Reason::bad_request;
  }
}

const Limits kDefaults;

}  // namespace

const Limits& Exchange::limits() const { return service_ == nullptr ? kDefaults : service_->route->limits; }

void Exchange::reset(const ClientInfo& client, TimePoint started) {
  info_ = client;
  client_address_ = *client.peer;
  started_ = started;
  granted_ = first_byte_ = queued_ = {};
  waited_ = {};
  reason_ = Reason::none;
  fault_ = {.status = 0};
  choice_ = {.decision = Decision::none};
  status_ = 0;
  retries_ = 0;
  avoid_ = 0;
  bytes_in_ = bytes_out_ = 0;
  worker_behind_ = fresh_only_ = reusable_ = accepts_body_ = parsed_ = false;
  replayable_ = true;
  method_text_ = host_ = path_ = trace_id_ = offered_ = {};
  context_.recorder.make_id(own_id_);
  request_id_ = {own_id_.data(), own_id_.size()};
}

void Exchange::refuse(const http::Fault& fault, const ClientInfo& client, TimePoint started) {
  reset(client, started);
  method_ = http::Method::other;
  minor_ = 1;
  request_complete_ = false;  // nobody knows where the next request would begin
  note(fault, Side::downstream);
  reason_ = reason_of(fault);
  feed(Event::refused);
}

void Exchange::begin(engine::Buffer head_bytes, const ClientInfo& client, TimePoint started) {
  reset(client, started);
  const http::RequestHead& head = context_.plumbing.request_scratch;
  head_ = std::move(head_bytes);
  view_ = &context_.tables.hold();
  method_ = head.method;
  minor_ = head.minor;
  method_text_ = kept(head.method_text, head);
  host_ = kept(head.host, head);
  path_ = kept(head.path_query, head);
  if (head.upgrade) offered_ = kept(http::offered_protocols(head), head);
  has_body_ = head.framing.kind != http::Framing::Kind::none &&
              !(head.framing.kind == http::Framing::Kind::length && head.framing.length == 0);
  request_complete_ = !has_body_;
  wants_trailers_ = head.wants_trailers;
  if (head.trace) trace_id_ = kept(head.trace.trace_id, head);
  if (head.hops == 0) return answer_as_last_hop();
  reason_ = route(head);
  if (reason_ != Reason::none) return feed(Event::refused);
  parsed_ = true;
  feed(Event::request);
  parsed_ = false;
}

// The same text in our own bytes. One that is not from the head ("/" for an empty path) is not copied and stays.
std::string_view Exchange::kept(std::string_view text, const http::RequestHead& head) const {
  const auto address = [](std::string_view bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); };
  const std::size_t offset = address(text) - address(head.bytes);
  return offset < head.bytes.size() ? std::string_view{head_.data() + offset, text.size()} : text;
}

Reason Exchange::route(const http::RequestHead& head) {
  const auto service = view_->routes.find(head.host, head.path_query);
  if (!service) return Reason::no_route;
  service_ = &view_->services[*service];
  const Reason reason = admit(head);
  if (reason != Reason::none) return reason;
  trust(head);
  choose_version(head);
  enter_version();
  return version_->up() ? Reason::none : Reason::version_down;
}

Reason Exchange::admit(const http::RequestHead& head) {
  if (head.bytes.size() > limits().head || head.fields.count > limits().fields) {
    note({431, "P8", "the request head is larger than this service takes", head.bytes.size()}, Side::downstream);
    return Reason::head_too_large;
  }
  if (head.framing.kind == http::Framing::Kind::length && head.framing.length > limits().body) {
    note({413, "P8", "the request body is larger than this service takes", head.bytes.size()}, Side::downstream);
    return Reason::too_large;
  }
  return Reason::none;
}

// What a trusted proxy says of the client counts; from anyone else it is overwritten on the way.
void Exchange::trust(const http::RequestHead& head) {
  if (!info_.trusted) return;
  client_address_ = policy::client_address(*info_.peer, head.fields, context_.settings.trusted_proxies);
  const http::Field* id = head.fields.find(http::Name::x_request_id);
  if (id != nullptr && !id->value.empty()) request_id_ = kept(id->value, head);
}

void Exchange::choose_version(const http::RequestHead& head) {
  const ServiceRoute& route = *service_->route;
  const bool canary_up = route.canary && context_.backends.version(route.versions[*route.canary].row).up();
  choice_ = policy::decide(*service_, head, client_address_, *info_.peer, canary_up);
}

void Exchange::enter_version() {
  version_ = &context_.backends.version(version_route().row);
  stats::add(context_.backends.row(version_->row).in_flight, 1);
}

void Exchange::leave_version() {
  if (version_ == nullptr) return;
  stats::add(context_.backends.row(version_->row).in_flight, -1);
  version_ = nullptr;
}

void Exchange::request_fault(Reason reason, const http::Fault& fault) {
  reason_ = reason;
  note(fault, Side::downstream);
  feed(Event::refused);
}

// Before the answer he is told so; within it only a connection that breaks says that it is not whole.
void Exchange::client_slow(const http::Fault& fault) {
  if (state_ == State::sending) return request_fault(Reason::request_timeout, fault);
  reason_ = Reason::request_timeout;
  note(fault, segment::Side::downstream);
  feed(Event::client_gone);
}

void Exchange::note(const http::Fault& fault, Side side) {
  fault_ = fault;
  fault_side_ = side;
  context_.recorder.broken(fault, side);
}

}  // namespace gray::proxy
