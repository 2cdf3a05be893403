#include "supervisor/news.hpp"

#include "config/base/log.hpp"
#include "config/base/units.hpp"
#include "supervisor/last_lines.hpp"
#include "supervisor/worker_events.hpp"

namespace gray::supervisor {
namespace {

constexpr std::size_t kLastLines = 5;
constexpr std::uint64_t kMiB = 1 << 20;

std::string failure_text(const Version& version, const Worker& worker, const VersionGroup::WorkerSlot& slot) {
  const WorkerMachine& machine = slot.machine;
  std::string text =
      "service " + version.service + ", version " + version.name + ", worker " + worker.id() + ": " + machine.cause();
  if (!machine.exit_text().empty() && machine.exit_text() != machine.cause() && !machine.exec_hopeless())
    text += " (" + machine.exit_text() + ")";
  if (!worker.detail().empty()) text += ": " + worker.detail();
  const auto lines = last_lines(worker.own_lines(), kLastLines);
  if (!lines.empty()) text += "; its last lines:";
  for (const std::string& line : lines) text += " \"" + line + "\"";
  return text;
}

/// The last failure without service and version, which an event has as fields: "worker web@v1#0: exit 3 ...".
std::string failure_of(const Version& version) {
  const auto at = version.failure.find("worker ");
  return at == std::string::npos ? version.failure : version.failure.substr(at);
}

/// Whether the version runs: a replacement that was stopped with its version has not finished.
bool runs(VersionState state) { return state == VersionState::serving || state == VersionState::starting; }

}  // namespace

void News::of_workers(Version& version, TimePoint now) {
  for (const auto& change : version.group.take_transitions()) {
    const auto found = version.workers.find(change.worker_slot);
    if (found == version.workers.end()) continue;  // it never had a process
    const Worker& worker = *found->second;
    const auto age = std::chrono::duration_cast<Duration>(now - worker.started());
    auto event = worker_event(change,
                              {version.service, version.name, worker.id(), worker.pid(), worker.ready_by(), age,
                               worker.detail(), worker.failed_probe()},
                              wall_now());
    if (!event) continue;
    if (event->kind == EventKind::address_taken) log(LogLevel::error, worker.id() + ": " + event->text);
    if (event->kind == EventKind::worker_exited && event->cause == kStopTimeout) {
      log(LogLevel::warn, worker.id() + ": " + event->text);
      ++version.late_stops.workers;
      version.late_stops.last = "worker " + worker.id() + ": " + worker.detail();
    }
    if (event->kind == EventKind::worker_unhealthy) log(LogLevel::warn, worker.id() + ": " + event->text);
    host_.emit(std::move(*event));
  }
}

void News::of_failure(Version& version, unsigned number) {
  const auto slot = version.group.slots().find(number);
  const auto worker = version.workers.find(number);
  if (slot == version.group.slots().end() || worker == version.workers.end()) return;
  if (!slot->second.machine.wanted()) return;
  version.failure = failure_text(version, *worker->second, slot->second);
  version.failure_cause = slot->second.machine.cause();
  log(slot->second.machine.was_healthy() ? LogLevel::warn : LogLevel::error, version.failure);
}

void News::of_memory(const Version& version, const Worker& worker, std::uint64_t bytes) {
  EventRecord event;
  event.kind = EventKind::worker_restarting;
  event.service = version.service;
  event.version = version.name;
  event.worker = worker.id();
  event.pid = worker.pid();
  event.cause = "memory";
  event.text = "it holds " + format_size((bytes + kMiB - 1) / kMiB * kMiB) + ", more than " +
               format_size(worker.memory_limit()) + "; a new worker starts first, then it drains";
  log(LogLevel::warn, worker.id() + ": " + event.text);
  host_.emit(std::move(event));
}

void News::of_version(Version& version) {
  const VersionState state = version.group.state(true);
  if (state == VersionState::failed && !version.failed) {
    log(LogLevel::error, "version " + version.name + " of service " + version.service +
                             " has failed and is not started again; correct it, then start it. " + version.failure);
    report(version, EventKind::version_failed, version.failure_cause,
           "not restarted automatically: " + failure_of(version));
  }
  version.failed = state == VersionState::failed;

  if (version.group.crashing() && !version.crashing) crashing(version);
  version.crashing = version.group.crashing();

  const bool replacing = version.group.replacing();
  if (replacing && !version.replacing)
    report(version, EventKind::version_restarting, {}, "its workers are replaced one after the other");
  if (!replacing && version.replacing && version.group.rolled_back().empty() && runs(state))
    report(version, EventKind::version_restarted, {}, "every worker was replaced");
  version.replacing = replacing;
  if (version.rolled_back.empty() != version.group.rolled_back().empty()) rolled_back(version);
}

void News::crashing(const Version& version) {
  const std::string text = "more than " + std::to_string(RestartPolicy::kEnds) + " exits within " +
                           std::to_string(RestartPolicy::kWindow.count() / 1'000) +
                           " s; it carries traffic and is always restarted, at most every " +
                           std::to_string(RestartPolicy::kMaxDelay.count() / 1'000) + " s: ";
  log(LogLevel::error, "version " + version.name + " of service " + version.service + ": " + text + version.failure);
  report(version, EventKind::version_crashing, version.failure_cause, text + failure_of(version));
}

void News::rolled_back(Version& version) {
  version.rolled_back = version.group.rolled_back().empty() ? std::string() : version.failure;
  if (version.rolled_back.empty()) return;
  log(LogLevel::error, "version " + version.name + " of service " + version.service +
                           ": the replacement stopped at its first failure (" + version.rolled_back +
                           "), rolled back to the old workers");
  report(version, EventKind::version_rolled_back, version.group.rolled_back(),
         "rolled back to the old workers after the first failure: " + failure_of(version));
}

void News::report(const Version& version, EventKind kind, std::string cause, std::string text) {
  EventRecord event;
  event.kind = kind;
  event.service = version.service;
  event.version = version.name;
  event.cause = std::move(cause);
  event.text = std::move(text);
  host_.emit(std::move(event));
}

}  // namespace gray::supervisor
