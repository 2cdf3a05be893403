#include "router/proxy/router_answer.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::no_route: return "no service is configured for this host and path";
    case Reason::too_large: return "the request body is larger than this service allows";
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

http::LocalAnswer router_answer(Reason reason, std::string_view detail) {
  http::LocalAnswer answer{.status = segment::status_of(reason), .reason = segment::name_of(reason)};
  if (reason == Reason::none) {
    answer.status = 200;
    answer.allow = kAllow;
  }
  answer.detail = detail.empty() ? describe(reason) : detail;
  answer.retry_after = answer.status == 503 ? 1 : 0;
  return answer;
}

}  // namespace gray::proxy
