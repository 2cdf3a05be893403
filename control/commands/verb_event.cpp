#include "control/commands/verb_event.hpp"

#include <fmt/core.h>

namespace gray::control {
namespace {

using nlohmann::json;

std::string word(const json& args, const char* name) {
  const auto found = args.find(name);
  return args.is_object() && found != args.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number(const json& args, const char* name) {
  const auto found = args.find(name);
  return found != args.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string what_is_upgraded(const json& args) {
  const auto binary = word(args, "binary");
  return word(args, "of") == "router" ? "the router" : "grayd" + (binary.empty() ? binary : " to " + binary);
}

std::string what_was_done(const VerbRow& row, const json& args, const json& body) {
  std::string name(row.name);
  if (row.verb == Verb::deploy) return fmt::format("is started without users; cwd {}", word(body, "cwd"));
  if (row.verb == Verb::promote) return fmt::format("is stable and serves all users instead of {}", word(body, "from"));
  if (row.verb == Verb::remove) return "is drained and removed";
  if (row.verb == Verb::upgrade) return name + " of " + what_is_upgraded(args);
  const auto percent = args.find("percent");
  if (row.event != EventKind::shifted || percent == args.end() || !percent->is_number()) return name;
  return fmt::format("takes {:g}% of the users", percent->get<double>());
}

}  // namespace

std::string caller_of(const json& args) {
  const auto peer = args.find("peer");
  if (peer == args.end() || !peer->is_object()) return "grayd";
  if (const auto page = word(*peer, "page"); !page.empty()) return "page " + page;
  return fmt::format("pid {}, uid {}", number(*peer, "pid"), number(*peer, "uid"));
}

std::string requested_by(const json& args) { return "requested by " + caller_of(args); }

std::optional<EventRecord> verb_event(Verb verb, const json& args, const Reply& reply) {
  const auto& row = row_of(verb);
  const auto peer = args.find("peer");
  const bool carried_out = reply.code == ExitCode::ok || reply.code == ExitCode::timeout;
  if (peer == args.end() || !peer->is_object() || !carried_out || !row.event) return std::nullopt;
  EventRecord event;
  event.kind = *row.event;
  event.service = word(args, "service");
  event.version = word(args, "version");
  event.pid = static_cast<pid_t>(number(*peer, "pid"));
  if (event.kind == EventKind::command) event.cause = row.name;
  event.text = fmt::format("{} ({})", what_was_done(row, args, reply.body), requested_by(args));
  if (reply.code != ExitCode::ok) event.text += ": " + reply.error;
  return event;
}

}  // namespace gray::control
