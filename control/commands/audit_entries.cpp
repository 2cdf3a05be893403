#include "control/commands/audit_entries.hpp"

#include <algorithm>

#include "control/commands/reload.hpp"
#include "control/commands/verb_event.hpp"

namespace gray::control {
namespace {

constexpr Verb kAudited[] = {Verb::deploy,  Verb::remove, Verb::start,  Verb::stop,
                             Verb::restart, Verb::drain,  Verb::upgrade};

std::string named_in(const nlohmann::json& args, const char* name) {
  const auto found = args.find(name);
  return found != args.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::optional<AuditEntry> audit_of(Verb verb, const nlohmann::json& args, const Reply& reply) {
  if (verb == Verb::reload) return audit_of_reload(caller_of(args), reply);
  const bool carried_out = reply.code == ExitCode::ok || reply.code == ExitCode::timeout;
  if (!carried_out || std::ranges::find(kAudited, verb) == std::end(kAudited)) return std::nullopt;
  AuditEntry entry{.service = named_in(args, "service"),
                   .version = named_in(args, "version"),
                   .what = std::string(name_of(verb)),
                   .actor = caller_of(args),
                   .reason = reply.error};
  if (verb == Verb::upgrade) entry.reason = named_in(args, "of") + " " + named_in(args, "binary");
  if (entry.reason.ends_with(' ')) entry.reason.pop_back();
  return entry;
}

AuditEntry audit_of_reload(const std::string& actor, const Reply& reply) {
  const bool good = reply.code == ExitCode::ok;
  return {.what = good ? "reload" : "reload-refused",
          .actor = actor,
          .reason = good ? reload_event(reply, "the file").text : reply.error.substr(0, reply.error.find('\n'))};
}

std::optional<AuditEntry> audit_of(const EventRecord& event) {
  switch (event.kind) {
    case EventKind::grayd_started:
    case EventKind::grayd_stopping:
    case EventKind::upgraded:
    case EventKind::upgrade_failed:
      return AuditEntry{.what = name_of(event.kind), .actor = "grayd", .reason = event.text};
    default: return std::nullopt;
  }
}

}  // namespace gray::control
