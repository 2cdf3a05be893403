#include "config/shared/event_record.hpp"

#include <algorithm>
#include <iterator>

namespace gray {
namespace {

using nlohmann::json;

constexpr const char* kNames[] = {
    "grayd-started",
    "grayd-stopping",
    "router-started",
    "router-ready",
    "router-drained",
    "router-died",
    "upgraded",
    "upgrade-failed",
    "worker-started",
    "worker-ready",
    "worker-healthy",
    "worker-unhealthy",
    "address-taken",
    "worker-restarting",
    "worker-exited",
    "worker-backoff",
    "version-failed",
    "version-crashing",
    "version-restarting",
    "version-restarted",
    "version-rolled-back",
    "shifted",
    "deployed",
    "promoted",
    "undone",
    "removed",
    "rollout",
    "judged",
    "command",
    "reloaded",
    "reload-refused",
    "access-log-reopened",
    "access-log-failed",
    "events-lost",
    "file-restored",
    "file-missing",
    "history-failed",
    "certificate-loaded",
    "certificate-failed",
    "warning",
};
static_assert(std::size(kNames) == static_cast<std::size_t>(EventKind::count));

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

const char* name_of(EventKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<EventKind> event_kind_from(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<EventKind>(found - std::begin(kNames));
}

json to_json(const EventRecord& event) {
  json out = {{"sequence", event.sequence}, {"time", rfc3339(event.time)}, {"kind", name_of(event.kind)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  add("service", event.service);
  add("version", event.version);
  add("worker", event.worker);
  if (event.pid != 0) out["pid"] = event.pid;
  add("cause", event.cause);
  out["text"] = event.text;
  return out;
}

std::optional<EventRecord> event_from_json(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto sequence = object.find("sequence");
  const auto time = wall_time_from(text_in(object, "time"));
  const auto kind = event_kind_from(text_in(object, "kind"));
  if (sequence == object.end() || !sequence->is_number_unsigned() || !time || !kind) return std::nullopt;
  EventRecord event;
  event.sequence = *sequence;
  event.time = *time;
  event.kind = *kind;
  event.service = text_in(object, "service");
  event.version = text_in(object, "version");
  event.worker = text_in(object, "worker");
  if (const auto pid = object.find("pid"); pid != object.end() && pid->is_number_integer()) event.pid = *pid;
  event.cause = text_in(object, "cause");
  event.text = text_in(object, "text");
  return event;
}

}  // namespace gray
