// The first half of an exchange: from a parsed head to a version, before any worker is involved.
#include "router/proxy/exchange.hpp"

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
  worker_behind_ = fresh_only_ = accepts_body_ = false;
  replayable_ = true;
  request_ = {};
  context_.recorder.make_id(own_id_);
  request_id_ = {own_id_.data(), own_id_.size()};
}

void Exchange::refuse(const http::Fault& fault, const ClientInfo& client, TimePoint started) {
  reset(client, started);
  request_complete_ = false;  // nobody knows where the next request would begin
  note(fault, Side::downstream);
  reason_ = reason_of(fault);
  feed(Event::refused);
}

void Exchange::begin(const RequestFacts& request, const ClientInfo& client, TimePoint started) {
  reset(client, started);
  request_ = request;
  view_ = &context_.tables.hold();
  request_complete_ = !request.has_body;
  if (request.last_hop) return answer_as_last_hop();
  reason_ = route(client_.request());
  feed(reason_ == Reason::none ? Event::request : Event::refused);
}

Reason Exchange::route(const http::RequestHead& head) {
  const auto service = view_->routes.find(request_.host, request_.path);
  if (!service) return Reason::no_route;
  service_ = &view_->services[*service];
  const Reason reason = admit();
  if (reason != Reason::none) return reason;
  trust(head);
  choose_version(head);
  enter_version();
  return version_->up() ? Reason::none : Reason::version_down;
}

Reason Exchange::admit() {
  if (request_.head_bytes > limits().head || request_.fields > limits().fields) {
    note({431, "P8", "the request head is larger than this service takes", request_.head_bytes}, Side::downstream);
    return Reason::head_too_large;
  }
  if (request_.length.value_or(0) > limits().body) {
    note({413, "P8", "the request body is larger than this service takes", request_.head_bytes}, Side::downstream);
    return Reason::too_large;
  }
  return Reason::none;
}

// What a trusted proxy says of the client counts; from anyone else it is overwritten on the way.
void Exchange::trust(const http::RequestHead& head) {
  if (!info_.trusted) return;
  client_address_ = policy::client_address(*info_.peer, head.fields, context_.settings.trusted_proxies);
  if (!request_.request_id.empty()) request_id_ = request_.request_id;
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

// Before the answer the client is told so; within it only a connection that breaks says that it is not whole.
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
