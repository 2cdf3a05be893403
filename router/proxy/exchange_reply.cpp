// What the router says by itself: an answer with its reason, or an answer as the last hop.
#include "router/proxy/exchange.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::no_route: return "no service is configured for this host and path";
    case Reason::too_large: return "the request body is larger than this service takes";
    case Reason::connect_failed: return "the worker could not be reached";
    case Reason::connect_timeout: return "the worker did not accept the connection in time";
    case Reason::upstream_closed: return "the worker closed the connection before it answered";
    case Reason::upstream_invalid: return "the worker's answer is not valid HTTP";
    case Reason::response_timeout: return "the worker did not answer in time";
    case Reason::version_down: return "this version has no worker that can take requests";
    case Reason::queue_full: return "all sockets are busy and the queue is full";
    case Reason::queue_timeout: return "no socket became free in time";
    case Reason::overloaded: return "the wait would be longer than the queue allows";
    case Reason::draining: return "the router is draining";
    default: return "";
  }
}

}  // namespace

// Max-Forwards: 0 (P3). OPTIONS asks what the last hop can do. TRACE asks it to reflect the request, with the cookies
// and credentials in it: never.
void Exchange::answer_as_last_hop() {
  reason_ = Reason::none;
  if (request_.method == http::Method::trace) {
    reason_ = Reason::unsupported;
    fault_.text = "the router does not answer TRACE";
  }
  feed(Event::refused);
}

void Exchange::reply() {
  if (upstream_ != nullptr) drop_upstream(false);
  if (linked) context_.backends.leave_queue(*version_, *this);
  http::LocalAnswer answer{.status = segment::status_of(reason_), .reason = segment::name_of(reason_)};
  if (reason_ == Reason::none) {
    answer.status = 200;
    answer.allow = kAllow;
  }
  answer.detail = *fault_.text != '\0' ? fault_.text : describe(reason_);
  answer.request_id = request_id_;
  answer.retry_after = answer.status == 503 ? 1 : 0;
  answer.head_request = request_.method == http::Method::head;
  answer.close = !request_complete_;
  if (version_ != nullptr && service_->route->expose != Expose::none) {
    answer.version = version_route().name;
    answer.decision = segment::name_of(choice_.decision);
  }
  status_ = answer.status;
  client_.answer(answer);
  conclude();
  client_.done();
}

}  // namespace gray::proxy
