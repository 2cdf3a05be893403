#include "control/api/admin_api.hpp"

#include <fmt/format.h>

#include <utility>

#include "control/verbs/verb_table.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

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

/// A POST without a length has no body (RFC 9112 section 6.3); cpp-httplib would read until the connection ends.
void give_length(httplib::Request& request) {
  if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding"))
    request.set_header("Content-Length", "0");
}

}  // namespace

AdminApi::AdminApi(Daemon& daemon, const CutOff& cut_off, Seats& seats, LiveFeed* feed)
    : cut_off_(cut_off), verbs_(daemon, cut_off, seats), live_(feed, LiveFeed::Entrance::admin) {
  if (feed != nullptr)
    Get("/v1/live",
        [this](const httplib::Request& request, httplib::Response& response) { live_.answer(request, response); });
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
  live_.hand_over(connection);
}

void AdminApi::answer_verb(const httplib::Request& request, httplib::Response& response) {
  const std::string verb = request.matches[1];
  const auto known = daemon_verb(verb);
  const bool changes = known && row_of(*known).changes;
  if (changes && request.method != "POST")
    return write_reply(refusal(ExitCode::usage, fmt::format("{} changes something; use POST /v1/{}", verb, verb)),
                       response);
  json args = arguments_of(request);
  if (!args.is_object())
    return write_reply(refusal(ExitCode::usage, fmt::format("{}: the request body must be a JSON object", verb)),
                       response);
  if (!known) return write_reply(refusal(ExitCode::usage, unknown_verb(verb)), response);
  if (const auto peer = peer_->peer(); changes && peer) args["peer"] = {{"pid", peer->pid}, {"uid", peer->uid}};
  verbs_.answer(verb, std::move(args), *peer_, response);
}

void AdminApi::answer_metrics(httplib::Response& response) {
  Reply reply = verbs_.ask("metrics", json::object(), *peer_);
  if (reply.code != ExitCode::ok) return write_reply(reply, response);
  response.set_content(reply.body.at("text").get<std::string>(), "text/plain; version=0.0.4");
}

}  // namespace gray::control
