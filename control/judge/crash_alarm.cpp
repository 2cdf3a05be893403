#include "control/judge/crash_alarm.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gray::control {
namespace {

bool is_expected(const WorkerView* worker, const VersionView& view) {
  const bool replacing = view.replacement && view.replacement->state == ReplacementState::running;
  const bool ending = view.state == VersionState::draining || view.state == VersionState::stopped;
  return replacing || ending ||
         (worker != nullptr && (worker->state == WorkerState::draining || worker->state == WorkerState::stopping));
}

}  // namespace

void CrashAlarm::Side::look(TimePoint now, const VersionView& view) {
  const auto worker_named = [&view](const std::string& id) {
    const auto found = std::ranges::find(view.workers, id, &WorkerView::id);
    return found == view.workers.end() ? nullptr : &*found;
  };
  std::erase_if(serving, [&](const auto& entry) {
    const auto* worker = worker_named(entry.first);
    const bool alive = worker != nullptr && worker->pid != 0 && worker->generation == entry.second.generation;
    if (alive && !is_expected(worker, view)) return false;
    if (alive || is_expected(worker, view)) return true;
    ends.push_back(now);
    young |= now - entry.second.serves_since < kYoung;
    last = fmt::format("worker {}: {}", entry.first,
                       worker == nullptr || worker->last_exit.empty() ? "its process ended" : worker->last_exit);
    return true;
  });
  for (const auto& worker : view.workers)
    if (worker.routable && worker.pid != 0 && !is_expected(&worker, view))
      serving.try_emplace(worker.id, Process{worker.generation, now});
  while (!ends.empty() && now - ends.front() >= kWindow) ends.pop_front();
  if (ends.empty()) young = false;
}

std::optional<std::string> CrashAlarm::look(TimePoint now, const VersionView& canary, const VersionView& stable) {
  canary_.look(now, canary);
  stable_.look(now, stable);
  const std::size_t ends = canary_.ends.size();
  if (ends <= stable_.ends.size() || (ends < kEnds && !canary_.young)) return std::nullopt;
  if (ends == 1) return fmt::format("a process of {} ended soon after its start; {}", canary.version, canary_.last);
  return fmt::format("{} processes of {} ended within {} s; the last one: {}", ends, canary.version,
                     kWindow.count() / 1000, canary_.last);
}

}  // namespace gray::control
