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

void Version::execute(unsigned worker_slot, Actions actions, TimePoint now) {
  if (actions.has(Action::changed)) worker(worker_slot).state_changed(now);
  if (actions.has(Action::terminate)) worker(worker_slot).terminate();
  if (actions.has(Action::kill)) worker(worker_slot).kill();
  if (actions.has(Action::probe)) worker(worker_slot).look_again(now);
}

void Version::retune(TimePoint now) {
  for (auto& [number, worker] : workers)
    if (const auto slot = group.slots().find(number); slot != group.slots().end())
      worker->retune(*slot->second.settings, now);
}

template <class Self, class Use>
void Version::each_worker(Self& self, Use&& use) {
  for (const auto& [number, slot] : self.group.slots())
    if (const auto worker = self.workers.find(number); worker != self.workers.end())
      use(*worker->second, slot.machine.state());
}

bool Version::probed(std::uint64_t id, const ProbeResult& result, TimePoint now) {
  bool ours = false;
  each_worker(*this, [&](Worker& worker, WorkerState state) { ours = ours || worker.probed(id, result, state, now); });
  return ours;
}

void Version::met_stranger(std::uint64_t generation, const PeerOwner& found, TimePoint now) {
  each_worker(*this, [&](Worker& worker, WorkerState state) {
    if (worker.generation() == generation) worker.met_stranger(found, state, now);
  });
}

bool Version::look_again(TimePoint now) {
  bool any = false;
  each_worker(*this, [&](Worker& worker, WorkerState state) {
    if (!worker.waits(state)) return;
    worker.look_again(now);
    any = true;
  });
  return any;
}

void Version::occupy(StartPlaces& places, TimePoint now) const {
  each_worker(*this, [&](const Worker& worker, WorkerState state) {
    if (state == WorkerState::spawned && !worker.answers()) places.occupy(worker.started(), now);
  });
}

std::optional<TimePoint> Version::next_turn() const {
  auto next = group.next_deadline();
  each_worker(*this, [&](const Worker& worker, WorkerState state) {
    const auto at = worker.next_poll(state);
    if (at && (!next || *at < *next)) next = at;
  });
  return next;
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
