#include "control/api/verb_answer.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "config/base/time.hpp"
#include "control/api/pending_reply.hpp"

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

/// The argument "timeout_ms", a number in JSON or digits in a query; nothing if it is out of range.
std::optional<Duration> timeout_of(const json& args) {
  auto found = args.find("timeout_ms");
  if (found == args.end()) return kDefaultTimeout;
  json number = found->is_string() ? json::parse(found->get<std::string>(), nullptr, false) : *found;
  if (!number.is_number_integer()) return std::nullopt;
  if (number < 1 || number > kLongestTimeout.count()) return std::nullopt;
  return Duration(number.get<Duration::rep>());
}

}  // namespace

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

json arguments_of(const httplib::Request& request) {
  json args = json::object();
  if (request.method != "POST") {
    for (const auto& [name, value] : request.params) args[name] = value;
    return args;
  }
  return request.body.empty() ? args : json::parse(request.body, nullptr, false);
}

void VerbAnswer::answer(const std::string& verb, json args, const FdStream& caller, httplib::Response& response) {
  if (!args.contains("wait_ms")) return write_reply(ask(verb, std::move(args), caller), response);
  const Seats::Taken seat(seats_);
  if (!seat)
    return write_reply(
        refusal(ExitCode::conflict,
                fmt::format("{}: too many callers use -f already; end one of them, or ask without -f", verb)),
        response);
  write_reply(ask(verb, std::move(args), caller), response);
}

Reply VerbAnswer::ask(const std::string& verb, json args, const FdStream& caller) {
  std::optional<Duration> timeout = timeout_of(args);
  if (!timeout)
    return refusal(ExitCode::usage,
                   fmt::format("timeout_ms must be a whole number from 1 to {}", kLongestTimeout.count()));
  const TimePoint until = Clock::now() + *timeout;
  const PendingReply reply(daemon_, verb, std::move(args));
  caller.wait_for(reply.fd(), until);
  if (reply.ready()) return reply.get();
  if (Clock::now() >= cut_off_.get()) return refusal(ExitCode::failed, fmt::format("{}: grayd is stopping", verb));
  if (caller.peer_gone()) return refusal(ExitCode::failed, fmt::format("{}: the caller has disconnected", verb));
  return refusal(ExitCode::timeout, fmt::format("{} got no answer within {} ms; it may still take effect, see status",
                                                verb, timeout->count()));
}

}  // namespace gray::control
