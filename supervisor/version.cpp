#include "supervisor/version.hpp"

namespace gray::supervisor {
namespace {

/// The full text of the failure that stopped a replacement is kept by the version, not by the group.
std::optional<ReplacementView> view_of_replacement(const Version& version) {
  const auto& last = version.group.replacement();
  if (!last) return std::nullopt;
  ReplacementView view{last->number, last->state, last->replaced, last->of, last->reason};
  if (last->state != ReplacementState::failed) return view;
  const bool undone = !version.group.rolled_back().empty();
  if (undone && !version.rolled_back.empty()) view.reason = version.rolled_back;
  if (last->reason == "failed") view.reason = version.failure;
  return view;
}

}  // namespace

void Version::retune(TimePoint now) {
  for (auto& [number, worker] : workers)
    if (const auto slot = group.slots().find(number); slot != group.slots().end())
      worker->retune(*slot->second.settings, now);
}

VersionView Version::view(bool carries_traffic) const {
  VersionView result{service, name, group.state(carries_traffic), {}, {}, view_of_replacement(*this)};
  const VersionState state = result.state;
  if (state == VersionState::starting || state == VersionState::failed)
    result.cause = failure;
  else if (!rolled_back.empty())
    result.cause = "replacement stopped: " + rolled_back;
  for (const auto& [number, slot] : group.slots()) {
    const auto worker = workers.find(number);
    WorkerView entry;
    if (worker != workers.end()) entry = worker->second->view();
    entry.id = id_of(number);
    entry.state = slot.machine.state();
    entry.restarts = slot.restarts;
    entry.last_exit = slot.last_exit;
    entry.routable = slot.machine.routable();
    if (state == VersionState::starting && result.cause.empty() && worker != workers.end() &&
        !worker->second->complaint().empty())
      result.cause = "worker " + entry.id + ": " + worker->second->complaint();
    if (slot.machine.displaced() && worker != workers.end())
      result.cause = "worker " + entry.id + " gets no requests: " + worker->second->complaint();
    result.workers.push_back(std::move(entry));
  }
  return result;
}

}  // namespace gray::supervisor
