// Model: cpp-httplib parses. What the head alone decides is decided before a body is read.
#include "control/dashboard/dashboard_api.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "control/dashboard/page_access.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr const char* kPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr const char* kMethods = "GET, HEAD, POST";
constexpr const char* kNoPage =
    "This grayd was built without its page, because npm was missing or failed.\n"
    "Build it on a machine with Node.js and npm: scripts/build says whether the page is part of it.\n"
    "The same figures: grayctl top; as a stream: GET /v1/live here.\n";

httplib::Headers safe_fields() {
  return {{"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cache-Control", "no-store"},
          {"X-Frame-Options", "DENY"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Content-Security-Policy", kPolicy}};
}

void set_only(httplib::Response& response, const char* name, const std::string& value) {
  response.headers.erase(name);
  response.set_header(name, value);
}

bool refuse(httplib::Response& response, int status, ExitCode code, std::string why) {
  write_reply(refusal(code, std::move(why)), response);
  response.status = status;
  return true;
}

bool is_json(std::string_view type) { return type.substr(0, type.find(';')) == "application/json"; }

/// The verb of the path; nothing if it is not one of grayd.
std::optional<Verb> verb_at(std::string_view path) {
  constexpr std::string_view kVerbs = "/v1/";
  return path.starts_with(kVerbs) ? daemon_verb(path.substr(kVerbs.size())) : std::nullopt;
}

}  // namespace

DashboardApi::DashboardApi(const Shared& shared, const CutOff& cut_off, FdStream& client, std::string address)
    : shared_(shared),
      cut_off_(cut_off),
      client_(client),
      address_(std::move(address)),
      verbs_(shared.daemon, cut_off, shared.seats),
      live_(&shared.feed, LiveFeed::Entrance::page) {
  using Request = httplib::Request;
  using Response = httplib::Response;
  set_default_headers(safe_fields());
  set_payload_max_length(kBodyBytes);
  set_pre_routing_handler([this](const Request& request, Response& response) {
    return refused(request, response) ? HandlerResponse::Handled : HandlerResponse::Unhandled;
  });
  Get("/", [this](const Request& request, Response& response) { answer_page(request, response); });
  Get("/v1/live", [this](const Request& request, Response& response) { live_.answer(request, response); });
  Get("/v1/([a-z-]+)", [this](const Request& request, Response& response) { answer_question(request, response); });
  Post("/v1/([a-z-]+)", [this](const Request& request, Response& response) { answer_change(request, response); });
  set_error_handler(Handler([this](const Request& request, Response& response) { explain(request, response); }));
  set_exception_handler([](const Request&, Response& response, std::exception_ptr) {
    refuse(response, 500, ExitCode::failed, "grayd could not answer; see its log");
  });
}

void DashboardApi::serve(int connection) {
  bool closed = false;
  process_request(client_, true, closed, [this](httplib::Request& request) {
    takes_gzip_ = request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    request.ranges.clear();
    request.headers.erase("Accept-Encoding");  // clients do not choose the cost of an answer
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding"))
      request.set_header("Content-Length", "0");  // cpp-httplib would read until the connection ends
  });
  live_.hand_over(connection);
}

bool DashboardApi::refused(const httplib::Request& request, httplib::Response& response) const {
  const auto host = request.get_header_value("Host");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.get_header_value_count("Host") != 1 || !is_own_host(host))
    return refuse(response, 421, ExitCode::denied,
                  fmt::format("the page answers only to an IP address or localhost, not to \"{}\"; open it by its "
                              "address, or let a proxy in front of it send that as Host",
                              host.substr(0, 255)));
  if (!reads && request.method != "POST") {
    set_only(response, "Allow", kMethods);
    return refuse(response, 405, ExitCode::usage, "the page answers GET, HEAD and POST only");
  }
  const auto verb = verb_at(request.path);
  if (request.path != "/" &&
      !is_same_origin(request.get_header_value("Origin"), request.get_header_value("Sec-Fetch-Site"), host))
    return refuse(response, 403, ExitCode::denied, "the request comes from another site than the page");
  const bool changes = verb && row_of(*verb).changes;
  if (reads && changes) {
    set_only(response, "Allow", "POST");
    return refuse(response, 405, ExitCode::usage, fmt::format("{} changes something: use POST", request.path));
  }
  if (reads) return false;
  if (request.path == "/" || request.path == "/v1/live" || (verb && !changes)) {
    set_only(response, "Allow", "GET, HEAD");
    return refuse(response, 405, ExitCode::usage, fmt::format("{} changes nothing: use GET", request.path));
  }
  if (!changes) return refuse(response, 404, ExitCode::usage, fmt::format("there is nothing at {}", request.path));
  if (!is_for_page(*verb))
    return refuse(response, 403, ExitCode::denied,
                  fmt::format("the page cannot {0}; use grayctl {0} on the host", name_of(*verb)));
  if (!shared_.writable)
    return refuse(response, 403, ExitCode::denied,
                  fmt::format("the page is read-only; use grayctl {} on the host, or set write = true in [admin] and "
                              "restart grayd",
                              name_of(*verb)));
  if (!is_json(request.get_header_value("Content-Type")))
    return refuse(response, 415, ExitCode::usage, "a change needs Content-Type: application/json");
  if (request.get_header_value("X-Grayd") != "page")
    return refuse(response, 403, ExitCode::denied, "a change needs the field X-Grayd: page, which only the page sends");
  return false;
}

void DashboardApi::answer_page(const httplib::Request&, httplib::Response& response) const {
  if (!shared_.page) return response.set_content(kNoPage, "text/plain; charset=utf-8");
  const std::string_view text = takes_gzip_ ? shared_.page.gzip : shared_.page.html;
  response.set_content(text.data(), text.size(), "text/html; charset=utf-8");
  response.set_header("Vary", "Accept-Encoding");
  if (takes_gzip_) response.set_header("Content-Encoding", "gzip");
  set_only(response, "Content-Security-Policy", shared_.page.policy);
}

void DashboardApi::answer_question(const httplib::Request& request, httplib::Response& response) {
  const std::string verb = request.matches[1];
  if (!daemon_verb(verb)) {
    refuse(response, 404, ExitCode::usage, unknown_verb(verb));
    return;
  }
  json args = arguments_of(request);
  args.erase("timeout_ms");  // the usual one
  if (daemon_verb(verb) == Verb::why && args.contains("request_id")) return answer_logged(args, response);
  verbs_.answer(verb, std::move(args), client_, response);
}

void DashboardApi::answer_logged(const json& args, httplib::Response& response) {
  if (args.contains("path")) {
    refuse(response, 400, ExitCode::usage, "why takes request_id or path, not both");
    return;
  }
  const Reply log = verbs_.ask("why", json::object(), client_);
  if (log.code != ExitCode::ok) return write_reply(log, response);
  const auto gone = [this] { return Clock::now() >= cut_off_.get() || client_.peer_gone(); };
  const auto [reply, status] = shared_.searches.find(log.body.value("access_log", ""), args.at("request_id"), gone);
  write_reply(reply, response);
  if (status != 0) response.status = status;
}

void DashboardApi::answer_change(const httplib::Request& request, httplib::Response& response) {
  const std::string verb = request.matches[1];
  json args = arguments_of(request);
  if (!args.is_object()) {
    refuse(response, 400, ExitCode::usage, fmt::format("{}: the request body must be a JSON object", verb));
    return;
  }
  args.erase("timeout_ms");
  args.erase("wait_ms");
  json peer = json::object();
  peer["page"] = address_;
  args["peer"] = std::move(peer);
  verbs_.answer(verb, std::move(args), client_, response);
}

/// Requests that cpp-httplib refused itself, and paths without a route.
void DashboardApi::explain(const httplib::Request& request, httplib::Response& response) const {
  if (!response.body.empty()) return;
  const int status = client_.full() ? 413 : response.status;
  const auto why = status == 404   ? fmt::format("there is nothing at {}", request.path)
                   : status == 413 ? fmt::format("the request is larger than {} KiB", kBodyBytes >> 10)
                                   : std::string("the request could not be read as HTTP/1.1");
  refuse(response, status, ExitCode::usage, why);
}

}  // namespace gray::control
