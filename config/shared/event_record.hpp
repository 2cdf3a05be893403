#pragma once
// An event, as operators read it in `grayctl events` and state_dir/events.log. The parts that report events fill in
// what they know; the event log adds number and time.
//
// Kinds never change: scripts match them. Each incident gives one event, reported by the part that decided it.
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
  upgraded,        // a requested upgrade is done: a new process serves
  upgrade_failed,  // a requested upgrade failed; nothing was changed
  worker_started,  // a process was started
  worker_ready,    // it reported that it is ready, by one of the methods
  worker_healthy,
  worker_unhealthy,
  address_taken,      // a different process answers at its address; it gets no requests until that has ended
  worker_restarting,  // it is replaced although it is healthy
  worker_exited,      // its process ended, for any reason
  worker_backoff,     // the next start is delayed
  version_failed,     // its workers are not started again automatically
  version_crashing,   // its workers end again and again; restarts continue because it carries traffic
  version_restarting,
  version_restarted,
  version_rolled_back,  // a replacement stopped at its first failure
  shifted,
  deployed,  // a version that is not in the file was started
  promoted,  // a version was made stable
  undone,    // a former stable version is stable again
  removed,   // a deployed version is drained and removed
  rollout,   // a rollout has a new state
  judged,    // a version with users is worse than stable, or no longer
  command,   // any other verb that changes something
  reloaded,
  reload_refused,
  access_log_reopened,
  access_log_failed,   // it could not be opened or written
  events_lost,         // some are missing on disk
  file_restored,       // a file of grayd's own was removed by a different program, and made again
  file_missing,        // likewise, but it could not be made again
  history_failed,      // the history cannot be written, some of it is missing, or a new one begins
  certificate_loaded,  // a certificate came in force
  certificate_failed,  // new files of a certificate cannot be used
  warning,             // something works, but not as the operator probably expects
  count
};
constexpr EventKind last_value(EventKind) { return EventKind::warning; }

struct EventRecord {
  std::uint64_t sequence = 0;  // 1, 2, ... across restarts of grayd; given by the event log
  WallTime time{};
  EventKind kind = EventKind::count;
  std::string service, version, worker;  // empty: not about a specific one
  pid_t pid = 0;                         // the process of the event; 0: none
  std::string cause;                     // short, for programs: "exit 3", "ready-timeout"
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

/// "worker-exited"; lower case; never changes.
const char* name_of(EventKind kind);
std::optional<EventKind> event_kind_from(std::string_view name);

/// The members of JSON are those of the record; empty ones are left out, except sequence, time, kind and text.
nlohmann::json to_json(const EventRecord& event);
/// Nothing if a member is missing or of a different type, or the kind is unknown.
std::optional<EventRecord> event_from_json(const nlohmann::json& json);

/// Where parts of the master report what an operator wants to read later.
class EventSink {
 public:
  virtual void emit(EventRecord event) = 0;

 protected:
  ~EventSink() = default;
};

}  // namespace gray
