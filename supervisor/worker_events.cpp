#include "supervisor/worker_events.hpp"

#include <fmt/core.h>

namespace gray::supervisor {
namespace {

/// "0.4 s"
std::string seconds(Duration time) { return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1'000); }

/// "died-before-ready (exit 3): detail"
std::string how_it_ended(const VersionGroup::Transition& change, const std::string& detail) {
  std::string text = change.cause;
  if (!change.exit_text.empty() && change.exit_text != change.cause) text += " (" + change.exit_text + ")";
  return detail.empty() ? text : text + ": " + detail;
}

/// "until 17:04:46.123 (0.5 s)"
std::string when(Duration delay, WallTime now) {
  return "until " + rfc3339(now + delay).substr(11, 12) + " (" + seconds(delay) + ")";
}

}  // namespace

std::optional<EventRecord> worker_event(const VersionGroup::Transition& change, const WorkerFacts& worker,
                                        WallTime now) {
  EventRecord event;
  event.service = worker.service;
  event.version = worker.version;
  event.worker = worker.id;
  event.pid = worker.pid;
  const auto filled = [&](EventKind kind, std::string cause, std::string text) {
    event.kind = kind;
    event.cause = std::move(cause);
    event.text = std::move(text);
    return event;
  };
  switch (change.to) {
    case WorkerState::spawned:
      if (worker.pid == 0) return std::nullopt;  // the following back-off has the cause
      return filled(EventKind::worker_started, {}, "pid " + std::to_string(worker.pid));
    case WorkerState::ready:
      return filled(EventKind::worker_ready, worker.ready_by,
                    "by " + worker.ready_by + " after " + seconds(worker.age));
    case WorkerState::healthy:
      if (change.from == WorkerState::unhealthy) return filled(EventKind::worker_healthy, {}, "healthy again");
      return filled(EventKind::worker_healthy, {}, "after " + seconds(worker.age));
    case WorkerState::unhealthy:
      if (change.displaced) return filled(EventKind::address_taken, "address-taken", worker.detail);
      return filled(EventKind::worker_unhealthy, "health-check",
                    "health checks failed; it gets no requests" +
                        (worker.failed_probe.empty() ? std::string() : "; " + worker.failed_probe));
    case WorkerState::exited:
      return filled(EventKind::worker_exited, change.cause, how_it_ended(change, worker.detail));
    case WorkerState::backoff:
      event.pid = 0;
      return filled(EventKind::worker_backoff, change.cause, when(change.delay, now));
    case WorkerState::idle:
    case WorkerState::draining:
    case WorkerState::stopping:
    case WorkerState::failed: break;
  }
  return std::nullopt;
}

}  // namespace gray::supervisor
