#include "supervisor/version.hpp"

#include <algorithm>
#include <utility>

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

Version::Found Version::find(unsigned worker_slot) const {
  const auto slot = group.slots().find(worker_slot);
  const auto worker = workers.find(worker_slot);
  if (slot == group.slots().end() || worker == workers.end()) return {};
  return {worker->second.get(), slot->second.machine.state()};
}

void Version::note(unsigned worker_slot) {
  ++visits;
  const Found found = find(worker_slot);
  due.set(worker_slot, found ? found.worker->next_due(found.state) : std::nullopt);
  if (found && found.worker->waits(found.state))
    waiting.insert(worker_slot);
  else
    waiting.erase(worker_slot);
  if (!found && workers.contains(worker_slot)) gone.insert(worker_slot);
}

void Version::note_all() {
  for (const auto& [worker_slot, worker] : workers) {
    note(worker_slot);
    touched.insert(worker_slot);
  }
}

void Version::execute(unsigned worker_slot, Actions actions, TimePoint now) {
  if (const auto found = workers.find(worker_slot); found != workers.end()) {
    Worker& worker = *found->second;
    if (actions.has(Action::changed)) worker.state_changed(now);
    if (actions.has(Action::terminate)) worker.terminate();
    if (actions.has(Action::kill)) worker.kill();
    if (actions.has(Action::probe)) worker.probe_now(now);
  }
  note(worker_slot);
}

void Version::retune(TimePoint now) {
  for (auto& [number, worker] : workers) {
    const auto slot = group.slots().find(number);
    if (slot != group.slots().end()) worker->retune(*slot->second.settings, now);
    note(number);
  }
}

void Version::probed(unsigned worker_slot, std::uint64_t id, const ProbeResult& result, TimePoint now) {
  if (const Found found = find(worker_slot)) found.worker->probed(id, result, found.state, now);
}

void Version::met_stranger(unsigned worker_slot, const PeerOwner& stranger, TimePoint now) {
  if (const Found found = find(worker_slot)) found.worker->met_stranger(stranger, found.state, now);
}

bool Version::look_again(TimePoint now) {
  if (waiting.empty()) return false;
  for (const unsigned worker_slot : std::set<unsigned>(waiting)) {
    if (const Found found = find(worker_slot)) found.worker->look_again(now);
    note(worker_slot);
  }
  return true;
}

void Version::clean_up(std::size_t kept) {
  for (const unsigned worker_slot : std::exchange(gone, {})) {
    const auto worker = workers.find(worker_slot);
    if (worker == workers.end() || group.slots().contains(worker_slot)) continue;
    retired.emplace_back(worker->second->id(), worker->second->output());
    workers.erase(worker);
  }
  while (retired.size() > kept) retired.pop_front();
}

void Version::occupy(StartPlaces& places) const {
  for (const auto& [worker_slot, worker] : workers)
    if (find(worker_slot).state == WorkerState::spawned && !worker->answers())
      places.occupy(worker->generation(), worker->started());
}

std::optional<TimePoint> Version::next_turn() const {
  const auto deadline = group.next_deadline(), look = due.next();
  return deadline && look ? std::min(*deadline, *look) : deadline ? deadline : look;
}

void Version::add_outputs(std::uint64_t sequence, std::vector<WorkerOutput>& outputs) const {
  for (const auto& [id, tail] : retired) outputs.push_back({service, name, id, tail.after(sequence)});
  for (const auto& [number, worker] : workers)
    outputs.push_back({service, name, worker->id(), worker->output().after(sequence)});
}

VersionView Version::view(bool carries_traffic) const {
  VersionView result{service, name, group.state(carries_traffic), {}, {}, view_of_replacement(*this), late_stops};
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
    if (result.cause.empty() && entry.state == WorkerState::unhealthy && worker != workers.end())
      result.cause = "worker " + entry.id + " gets no requests: " + worker->second->failed_probe();
    if (slot.machine.displaced() && worker != workers.end())
      result.cause = "worker " + entry.id + " gets no requests: " + worker->second->complaint();
    result.workers.push_back(std::move(entry));
  }
  return result;
}

}  // namespace gray::supervisor
