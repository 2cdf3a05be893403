#include "grayd/verb_event.hpp"

#include <fmt/core.h>

namespace gray::master {
namespace {

using nlohmann::json;

std::string word(const json& args, const char* name) {
  const auto found = args.find(name);
  return found != args.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number(const json& args, const char* name) {
  const auto found = args.find(name);
  return found != args.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string what_is_upgraded(const json& args) {
  const auto binary = word(args, "binary");
  return word(args, "of") == "router" ? "the router" : "grayd" + (binary.empty() ? binary : " to " + binary);
}

}  // namespace

std::optional<EventRecord> verb_event(const std::string& verb, const json& args, const control::Reply& reply) {
  const auto peer = args.find("peer");
  const bool carried_out = reply.code == ExitCode::ok || reply.code == ExitCode::timeout;
  if (peer == args.end() || !peer->is_object() || !carried_out || verb == "reload") return std::nullopt;
  EventRecord event;
  event.kind = verb == "shift" ? EventKind::shifted : EventKind::command;
  event.service = word(args, "service");
  event.version = word(args, "version");
  event.pid = static_cast<pid_t>(number(*peer, "pid"));
  event.cause = verb == "shift" ? std::string() : verb;
  const auto percent = args.find("percent");
  event.text = verb == "shift" && percent != args.end() && percent->is_number()
                   ? fmt::format("takes {:g}% of the users", percent->get<double>())
                   : verb + (verb == "upgrade" ? " of " + what_is_upgraded(args) : std::string());
  event.text += fmt::format(" (asked by pid {}, uid {})", event.pid, number(*peer, "uid"));
  if (reply.code != ExitCode::ok) event.text += ": " + reply.error;
  return event;
}

}  // namespace gray::master
