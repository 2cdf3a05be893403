#include "control/api/admin_api.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "config/base/time.hpp"
#include "control/api/pending_reply.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kDefaultTimeout{10'000};
constexpr Duration kLongestTimeout{120'000};

int http_status(ExitCode code) {
  switch (code) {
    case ExitCode::ok: return 200;
    case ExitCode::usage: return 400;
    case ExitCode::denied: return 403;
    case ExitCode::conflict: return 409;
    case ExitCode::bad_config: return 422;
    case ExitCode::timeout: return 504;
    default: return 500;
  }
}

void write_reply(const Reply& reply, httplib::Response& response) {
  json body = reply.body.is_object() ? reply.body : json::object();
  body["schema_version"] = 1;
  if (reply.code != ExitCode::ok) {
    body["exit_code"] = static_cast<int>(reply.code);
    body["error"] = reply.error;
  }
  response.status = http_status(reply.code);
  response.set_content(body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n", "application/json");
}

/// Requests that cpp-httplib refused itself, and paths without a route.
void write_error(const httplib::Request& request, httplib::Response& response) {
  if (!response.body.empty()) return;  // a failure of a verb
  const int status = response.status;
  const char* why = status == 404   ? "there is nothing at this path; verbs are under /v1/"
                    : status == 413 ? "the request body is larger than 1 MiB"
                                    : "the request could not be read as HTTP/1.1";
  write_reply(refusal(ExitCode::usage, request.path.empty() ? why : fmt::format("{}: {}", request.path, why)),
              response);
  response.status = status;
}

void write_exception(const httplib::Request& request, httplib::Response& response, std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    write_reply(refusal(ExitCode::failed, fmt::format("{} failed inside grayd: {}", request.path, error.what())),
                response);
  } catch (...) {
    write_reply(refusal(ExitCode::failed, fmt::format("{} failed inside grayd", request.path)), response);
  }
}

/// The arguments of the verb; not an object if they cannot be read.
json arguments_of(const httplib::Request& request) {
  json args = json::object();
  if (request.method == "GET") {
    for (const auto& [name, value] : request.params) args[name] = value;
    return args;
  }
  return request.body.empty() ? args : json::parse(request.body, nullptr, false);
}

/// The argument "timeout_ms", a number in JSON or digits in a query; nothing if it is out of range.
std::optional<Duration> timeout_of(const json& args) {
  auto found = args.find("timeout_ms");
  if (found == args.end()) return kDefaultTimeout;
  json number = found->is_string() ? json::parse(found->get<std::string>(), nullptr, false) : *found;
  if (!number.is_number_integer()) return std::nullopt;
  if (number < 1 || number > kLongestTimeout.count()) return std::nullopt;
  return Duration(number.get<Duration::rep>());
}

/// A POST without a length has no body (RFC 9112 section 6.3); cpp-httplib would read until the connection ends.
void give_length(httplib::Request& request) {
  if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding"))
    request.set_header("Content-Length", "0");
}

}  // namespace

AdminApi::AdminApi(Daemon& daemon, const CutOff& cut_off, Seats& seats)
    : daemon_(daemon), cut_off_(cut_off), seats_(seats) {
  auto verb = [this](const httplib::Request& request, httplib::Response& response) { answer_verb(request, response); };
  Get("/v1/([a-z-]+)", verb);
  Post("/v1/([a-z-]+)", verb);
  Get("/metrics", [this](const httplib::Request&, httplib::Response& response) { answer_metrics(response); });
  Get("/healthz",
      [](const httplib::Request&, httplib::Response& response) { response.set_content("ok", "text/plain"); });
  set_payload_max_length(FdStream::kBodyBytes);
  set_error_handler(httplib::Server::Handler(write_error));
  set_exception_handler(write_exception);
}

void AdminApi::serve(int connection, std::string received) {
  FdStream stream(connection, cut_off_, {}, std::move(received));
  peer_ = &stream;
  bool closed = false;
  process_request(stream, true, closed, give_length);
  peer_ = nullptr;
}

void AdminApi::answer_verb(const httplib::Request& request, httplib::Response& response) {
  const std::string verb = request.matches[1];
  const auto known = daemon_verb(verb);
  const bool changes = known && row_of(*known).changes;
  if (changes && request.method == "GET")
    return write_reply(refusal(ExitCode::usage, fmt::format("{} changes something; use POST /v1/{}", verb, verb)),
                       response);
  json args = arguments_of(request);
  if (!args.is_object())
    return write_reply(refusal(ExitCode::usage, fmt::format("{}: the request body must be a JSON object", verb)),
                       response);
  if (!known) return write_reply(refusal(ExitCode::usage, unknown_verb(verb)), response);
  if (const auto peer = peer_->peer(); changes && peer) args["peer"] = {{"pid", peer->pid}, {"uid", peer->uid}};
  if (args.contains("wait_ms")) return answer_waiting(verb, std::move(args), response);
  write_reply(ask(verb, std::move(args)), response);
}

void AdminApi::answer_waiting(const std::string& verb, json args, httplib::Response& response) {
  const Seats::Taken seat(seats_);
  if (!seat)
    return write_reply(
        refusal(ExitCode::conflict,
                fmt::format("{}: too many callers use -f already; end one of them, or ask without -f", verb)),
        response);
  write_reply(ask(verb, std::move(args)), response);
}

void AdminApi::answer_metrics(httplib::Response& response) {
  Reply reply = ask("metrics", json::object());
  if (reply.code != ExitCode::ok) return write_reply(reply, response);
  response.set_content(reply.body.at("text").get<std::string>(), "text/plain; version=0.0.4");
}

Reply AdminApi::ask(std::string verb, json args) {
  std::optional<Duration> timeout = timeout_of(args);
  if (!timeout)
    return refusal(ExitCode::usage,
                   fmt::format("timeout_ms must be a whole number from 1 to {}", kLongestTimeout.count()));
  const TimePoint until = Clock::now() + *timeout;
  const PendingReply reply(daemon_, verb, std::move(args));
  peer_->wait_for(reply.fd(), until);
  if (reply.ready()) return reply.get();
  if (Clock::now() >= cut_off_.get()) return refusal(ExitCode::failed, fmt::format("{}: grayd is stopping", verb));
  if (peer_->peer_gone()) return refusal(ExitCode::failed, fmt::format("{}: the caller has disconnected", verb));
  return refusal(ExitCode::timeout, fmt::format("{} got no answer within {} ms; it may still take effect, see status",
                                                verb, timeout->count()));
}

}  // namespace gray::control
