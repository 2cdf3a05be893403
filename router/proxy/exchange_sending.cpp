// What an exchange sends to a worker: the head, and the body as it comes or as it was kept.
//
// A worker whose latest answer was HTTP/1.0 understands neither chunks nor trailers nor Expect nor an upgrade. Until a
// worker has answered it is not known what it speaks, so what can be said in either version is said so.
#include "router/proxy/exchange.hpp"

namespace gray::proxy {

using segment::Reason;
using segment::Speaks;

namespace {

constexpr http::Fault kNeedsLength{
    411, "length", "the worker speaks HTTP/1.0: a request body of more than 16 KiB needs Content-Length", 0};

}  // namespace

void Exchange::send_request() {
  const http::Request& head = client_->request();
  const bool old = attempt_.side->speaks() == Speaks::http10;
  const bool open = head.body.kind == http::Body::Kind::open;
  if (open && old && !request_complete_) {
    record_.fault = kNeedsLength;
    return feed(Event::refused, Reason::length_required);
  }
  if (head.expect_continue && old && !request_complete_) client_->continue_request();
  attempt_.side->send_head(head, request_extras(), {routing_.limits().head, routing_.limits().fields});
  replay_body();
  if (request_complete_) return feed(Event::request_end);
  expects_100_ = head.expect_continue && !old && record_.counts.bytes_in == 0;
  arm(routing_.limits().request_timeout);
  accepts_body_ = true;
  client_->body_wanted();
}

void Exchange::replay_body() {
  if (!replay_.view().empty()) attempt_.side->send_data(replay_.view());
  if (request_complete_ && request_.has_body) attempt_.side->send_end();
}

http::RequestExtras Exchange::request_extras() const {
  const Speaks speaks = attempt_.side->speaks();
  const bool old = speaks == Speaks::http10;
  http::RequestExtras extras{.client_ip = info_.ip,
                             .trusted = info_.trusted,
                             .request_id = request_id_,
                             .scheme = info_.scheme,
                             .keep_body = true,
                             .span = span(),
                             .expect = !old,
                             .trailers = !old,
                             .upgrade = old ? std::string_view() : request_.upgrade,
                             .via = routing_.via(),
                             .http2 = info_.http2,
                             .client_cert = info_.certificate};
  const bool open = client_->request().body.kind == http::Body::Kind::open;
  if (open && speaks != Speaks::http11 && request_complete_) extras.length = replay_.view().size();
  return extras;
}

void Exchange::request_data(std::string_view payload) {
  record_.counts.bytes_in += payload.size();
  expects_100_ = false;
  if (record_.first_byte == TimePoint{}) replay_.keep(payload, info_.connection);
  if (gathers()) {
    if (!replay_.whole()) return request_fault(Reason::overloaded, kNoMemory);
    if (!is_small() && replay_.view().size() == policy::kReplayBytes) feed(Event::gathered);
    return;
  }
  if (attempt_.side == nullptr || !accepts_body_) return;  // dropped: the answer is already decided
  attempt_.side->send_data(payload);
  arm(routing_.limits().request_timeout);
}

void Exchange::request_end() {
  request_complete_ = true;
  accepts_body_ = false;
  if (attempt_.side != nullptr) attempt_.side->send_end();
  feed(Event::request_end);
}

}  // namespace gray::proxy
