#pragma once
// One thing that happened, as an operator reads it: `grayctl events` and state_dir/events.log. The parts that see
// things happen fill in what they know; the event log gives number and time.
//
// Kinds are for ever: scripts match them. One happening is one event, told by the part that decided it.
#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/wall_time.hpp"

namespace gray {

enum class EventKind : std::uint8_t {
  grayd_started,
  grayd_stopping,
  router_started,
  router_ready,
  router_drained,  // it ended as asked
  router_died,
  upgraded,        // an upgrade that was asked for is done: a new process serves
  upgrade_failed,  // and nothing was changed
  worker_started,  // a process was made
  worker_ready,    // it said so, by one of the ways
  worker_healthy,
  worker_unhealthy,
  worker_restarting,  // it is replaced though it is healthy
  worker_exited,      // its process ended, whoever wanted that
  worker_backoff,     // the next start waits
  version_failed,     // it is not started again by itself
  version_crashing,   // it ends again and again, and goes on because it carries traffic
  version_restarting,
  version_restarted,
  version_rolled_back,  // a replacement stopped at its first failure
  shifted,
  command,  // another verb that changes something
  reloaded,
  reload_refused,
  access_log_reopened,
  access_log_failed,  // it could not be opened, or takes no lines
  events_lost,        // some are missing on disk
  count
};
constexpr EventKind last_value(EventKind) { return EventKind::events_lost; }

struct EventRecord {
  std::uint64_t sequence = 0;  // 1, 2, ... across restarts of grayd; given by the event log
  WallTime time{};
  EventKind kind = EventKind::count;
  std::string service, version, worker;  // empty: not about one
  pid_t pid = 0;                         // of the process it is about; 0: none
  std::string cause;                     // one word or two for programs: "exit 3", "ready-timeout"
  std::string text;                      // one line for people

  template <class Io>
  void archive(Io& io) {
    io("sequence", sequence);
    io("time", time);
    io("kind", kind);
    io("service", service);
    io("version", version);
    io("worker", worker);
    io("pid", pid);
    io("cause", cause);
    io("text", text);
  }
};

/// "worker-exited"; lower case, for ever.
const char* name_of(EventKind kind);
std::optional<EventKind> event_kind_from(std::string_view name);

/// The members of JSON are those of the record; empty ones are left out, except sequence, time, kind and text.
nlohmann::json to_json(const EventRecord& event);
/// Nothing if a member is missing or of another type, or the kind is not known.
std::optional<EventRecord> event_from_json(const nlohmann::json& json);

}  // namespace gray
