#include "supervisor/version_group.hpp"

#include <algorithm>

#include "supervisor/process/readiness.hpp"

namespace gray::supervisor {
namespace {

WorkerTimes times_of(const VersionSettings& settings) {
  return WorkerTimes::of(settings, ReadyJudge(settings).by_probe());
}

// Rank of a worker when one must be stopped: the least useful is stopped first.
int usefulness(WorkerState state) {
  switch (state) {
    case WorkerState::healthy: return 3;
    case WorkerState::ready: return 2;
    case WorkerState::spawned:
    case WorkerState::unhealthy: return 1;
    default: return 0;
  }
}

}  // namespace

void VersionGroup::SettingsPool::gather(const VersionGroup& group) {
  const auto add = [&](const std::shared_ptr<const VersionSettings>& one) {
    if (one == nullptr || index_of(one)) return;
    shared.push_back(one);
    settings.push_back(*one);
  };
  add(group.target_);
  add(group.previous_);
  for (const auto& [number, slot] : group.slots_) add(slot.settings);
}

std::optional<std::size_t> VersionGroup::SettingsPool::index_of(
    const std::shared_ptr<const VersionSettings>& one) const {
  const auto found = std::find(shared.begin(), shared.end(), one);
  if (one == nullptr || found == shared.end()) return std::nullopt;
  return static_cast<std::size_t>(found - shared.begin());
}

std::map<unsigned, VersionGroup::NumberedSlot> VersionGroup::SettingsPool::numbered(
    const std::map<unsigned, WorkerSlot>& slots) const {
  std::map<unsigned, NumberedSlot> all;
  for (const auto& [number, slot] : slots) all[number] = {index_of(slot.settings), slot};
  return all;
}

/// Throws on an invalid index.
void VersionGroup::SettingsPool::give_back(VersionGroup& group, std::optional<std::size_t> target,
                                           std::optional<std::size_t> previous,
                                           std::map<unsigned, NumberedSlot> slots) {
  for (auto& one : settings) shared.push_back(std::make_shared<const VersionSettings>(std::move(one)));
  const auto named = [&](std::optional<std::size_t> index) {
    return index ? shared.at(*index) : std::shared_ptr<const VersionSettings>();
  };
  group.target_ = named(target);
  group.previous_ = named(previous);
  group.slots_.clear();
  for (auto& [number, one] : slots) {
    one.slot.settings = shared.at(one.settings.value());
    group.slots_.emplace(number, std::move(one.slot));
  }
}

void VersionGroup::count_slot(unsigned number) {
  const WorkerSlot& slot = slots_.at(number);
  const WorkerMachine& machine = slot.machine;
  counts_.set(number,
              {machine.state(), machine.wanted(), slot.settings == target_, machine.proven(), machine.startable()},
              machine.next_deadline());
}

void VersionGroup::count_all() {
  counts_.clear();
  for (const auto& [number, slot] : slots_) count_slot(number);
}

void VersionGroup::apply(const VersionSettings& settings, TimePoint now) {
  auto wanted = std::make_shared<const VersionSettings>(settings);
  rolled_back_.clear();
  if (failed_) stop(WorkerEvent::stop, now);
  if (!target_) {
    policy_ = RestartPolicy(seed_);
    target_ = std::move(wanted);
  } else if (same_process(*target_, settings)) {
    for (auto& [number, slot] : slots_)
      if (slot.settings == target_) retune(slot, wanted);
    target_ = std::move(wanted);
  } else {
    set_target(std::move(wanted));
  }
  count_all();
  reconcile(now);
}

void VersionGroup::restart(TimePoint now) {
  if (!target_) return;
  rolled_back_.clear();
  if (failed_) return apply(VersionSettings(*target_), now);
  set_target(std::make_shared<const VersionSettings>(*target_));
  count_all();
  reconcile(now);
}

// Without a routable worker there is nothing to protect: all are replaced at once, and failures count as usual.
void VersionGroup::set_target(std::shared_ptr<const VersionSettings> settings) {
  prove_ = gentle_ = any_routable();
  if (!gentle_) policy_ = RestartPolicy(seed_);
  if (!gentle_)
    previous_.reset();
  else if (!previous_ || !any_old())
    previous_ = target_;  // every worker that is wanted has these: they are proven
  target_ = std::move(settings);
  replacement_ = Replacement{.number = replacement_ ? replacement_->number + 1 : 1};
}

void VersionGroup::stop(WorkerEvent how, TimePoint now) {
  target_.reset();
  count_all();
  previous_.reset();
  failed_ = false;
  rolled_back_.clear();
  replacement_failed("stopped");
  std::vector<unsigned> numbers;
  for (const auto& [number, slot] : slots_) numbers.push_back(number);
  for (const unsigned number : numbers) feed(number, {.kind = how}, now);
}

void VersionGroup::probing(bool possible, TimePoint now) {
  probing_ = possible;
  for (auto& [number, slot] : slots_) slot.machine.probing(possible, now);
  count_all();
}

void VersionGroup::on(unsigned number, Event event, bool carries_traffic, TimePoint now) {
  const auto found = slots_.find(number);
  if (found == slots_.end()) return;
  if (event.kind == WorkerEvent::emptied && found->second.machine.wanted()) return end_of(number, carries_traffic, now);
  if (event.kind == WorkerEvent::start) begin(found->second);
  feed(number, event, now);
  end_unfit(number, now);
  reconcile(now);
}

// A new worker that is unhealthy before it is proven gets no second chance: it is ended, and its end undoes the
// replacement. (One whose address was taken may be all right itself; it is proven later.)
void VersionGroup::end_unfit(unsigned number, TimePoint now) {
  const auto found = slots_.find(number);
  if (found == slots_.end() || !is_new(found->second)) return;
  const WorkerMachine& machine = found->second.machine;
  if (machine.state() == WorkerState::unhealthy && !machine.displaced() && !machine.was_proven())
    feed(number, {.kind = WorkerEvent::timeout}, now);
}

void VersionGroup::begin(WorkerSlot& slot) {
  if (std::exchange(slot.started, true)) ++slot.restarts;
  slot.machine.set_times(times_of(*slot.settings));
}

void VersionGroup::retune(WorkerSlot& slot, std::shared_ptr<const VersionSettings> settings) {
  slot.machine.retune(times_of(*settings));
  slot.settings = std::move(settings);
}

void VersionGroup::expire(bool carries_traffic, TimePoint now) {
  for (const unsigned number : counts_.deadlines().due(now))
    on(number, {.kind = WorkerEvent::timeout, .alone = !any_routable()}, carries_traffic, now);
}

// It counts as old from now on because its settings, though equal, are not the target object. A failure of the new
// worker does not undo that: the old one serves until a new one can replace it.
bool VersionGroup::weighed(unsigned number, std::uint64_t bytes, TimePoint now) {
  const auto found = slots_.find(number);
  if (found == slots_.end() || !target_ || failed_ || replacing() || any_old()) return false;
  WorkerSlot& slot = found->second;
  const std::uint64_t limit = slot.settings->memory;
  if (limit == 0 || bytes <= limit || !slot.machine.routable() || !slot.machine.ran_stably(now)) return false;
  slot.settings = std::make_shared<const VersionSettings>(*slot.settings);
  prove_ = gentle_ = true;
  count_slot(number);
  reconcile(now);
  return true;
}

void VersionGroup::exhausted(unsigned number, TimePoint now) {
  const auto found = slots_.find(number);
  if (found == slots_.end()) return;
  const Duration delay = policy_.exhausted(++found->second.streak);
  feed(number, {.kind = WorkerEvent::no_resources, .delay = delay}, now);
}

// Passes one event to one machine and applies the result. An unwanted worker without a process is removed.
void VersionGroup::feed(unsigned number, const Event& event, TimePoint now) {
  WorkerSlot& slot = slots_.at(number);
  const WorkerState before = slot.machine.state();
  const bool was_displaced = slot.machine.displaced();
  const Actions actions = slot.machine.on(event, now);
  const WorkerMachine& machine = slot.machine;
  if (machine.state() != before || (machine.displaced() && !was_displaced))
    transitions_.push_back(
        {number, before, machine.state(), machine.cause(), machine.exit_text(), event.delay, machine.displaced()});
  if (event.kind == WorkerEvent::said_ready && slot.machine.said_ready()) policy_.ready();
  if (slot.machine.routable()) policy_.healthy();
  if (event.kind == WorkerEvent::exited || event.kind == WorkerEvent::no_resources)
    slot.last_exit = slot.machine.cause();
  if (actions != Actions{}) commands_.push_back({number, actions});
  count_slot(number);
  if (slot.machine.wanted() || slot.machine.state() != WorkerState::idle) return;
  slots_.erase(number);
  counts_.erase(number);
}

void VersionGroup::end_of(unsigned number, bool carries_traffic, TimePoint now) {
  WorkerSlot& slot = slots_.at(number);
  const WorkerMachine& machine = slot.machine;
  if (machine.state() != WorkerState::exited) return;
  if (is_new(slot) && !machine.exec_exhausted()) return undo_replacement(slot, number, now);
  if (is_old(slot) && !rolled_back_.empty()) return remove(number, now);
  const bool ended_by_cause = machine.cause() != machine.exit_text();  // not an exit of its own
  const Verdict verdict = policy_.ended({.start_failure = !machine.was_healthy() && ended_by_cause,
                                         .stable = machine.ran_stably(now),
                                         .hopeless = machine.exec_hopeless(),
                                         .exhausted = machine.exec_exhausted(),
                                         .carries_traffic = carries_traffic,
                                         .streak = slot.streak},
                                        now);
  slot.streak = verdict.streak;
  if (verdict.give_up) return fail(number, now);
  feed(number, {.kind = WorkerEvent::retry, .delay = verdict.delay}, now);
  reconcile(now);
}

// A failed version has no workers: those that still run were never routable, or are as broken as the rest. Of those
// that have exited, only the worker in `emptied` is known to have left no process behind.
void VersionGroup::fail(unsigned emptied, TimePoint now) {
  failed_ = true;
  previous_.reset();
  replacement_failed("failed");
  std::vector<unsigned> numbers;
  for (const auto& [number, slot] : slots_) numbers.push_back(number);
  for (const unsigned number : numbers) {
    const bool has_process = number != emptied && slots_.at(number).machine.alive();
    feed(number, {.kind = has_process ? WorkerEvent::stop : WorkerEvent::give_up}, now);
  }
}

/// It is not started again; one with the target settings takes its place.
void VersionGroup::remove(unsigned emptied, TimePoint now) {
  drain(emptied, now);  // unwanted, so that `emptied` ends it
  feed(emptied, {.kind = WorkerEvent::emptied}, now);
  reconcile(now);
}

void VersionGroup::undo_replacement(WorkerSlot& failed, unsigned number, TimePoint now) {
  rolled_back_ = failed.machine.cause();
  replacement_failed(rolled_back_);
  target_ = std::exchange(previous_, nullptr);
  prove_ = false;
  count_all();
  drain(number, now);
  feed(number, {.kind = WorkerEvent::emptied}, now);
  std::vector<unsigned> useless;
  for (auto& [other, slot] : slots_) {
    if (same_process(*slot.settings, *target_)) retune(slot, target_);
    if (is_old(slot) && !slot.machine.routable()) useless.push_back(other);
  }
  count_all();
  for (const unsigned other : useless) drain(other, now);
  reconcile(now);
}

void VersionGroup::reconcile(TimePoint now) {
  settle(now);
  follow_replacement();
}

void VersionGroup::settle(TimePoint now) {
  if (!target_ || failed_) return;
  if (any_old()) return replace_one(now);
  if (!any_old_process()) previous_.reset();
  while (wanted() < target_->instances) add();
  while (wanted() > target_->instances) drain(*least_useful(false), now);
}

void VersionGroup::replace_one(TimePoint now) {
  if (!gentle_) {
    while (const auto old = least_useful(true)) drain(*old, now);
    return settle(now);
  }
  while (wanted() < target_->instances) add();  // the number of instances was raised meanwhile
  const bool new_ones_fit = counts_.fit_wanted(prove_) == counts_.current_wanted();
  while (wanted() > target_->instances + (new_ones_fit ? 0 : 1)) {
    const auto old = least_useful(true);
    if (!old) break;
    drain(*old, now);
  }
  if (!least_useful(true)) return settle(now);
  if (new_ones_fit && wanted() <= target_->instances) add();
}

void VersionGroup::follow_replacement() {
  if (!replacement_ || replacement_->state != ReplacementState::running) return;
  const auto fresh = static_cast<std::uint32_t>(counts_.fit(prove_));
  replacement_->of = target_->instances;
  replacement_->replaced = std::min(std::max(fresh, replacement_->replaced), target_->instances);
  if (fresh >= target_->instances && !any_old_process()) replacement_->state = ReplacementState::done;
}

void VersionGroup::replacement_failed(std::string reason) {
  if (!replacement_ || replacement_->state != ReplacementState::running) return;
  replacement_->state = ReplacementState::failed;
  replacement_->reason = std::move(reason);
}

void VersionGroup::add() {
  const unsigned number = counts_.free_number();
  WorkerSlot& slot = slots_[number];
  slot.settings = target_;
  slot.machine.probing(probing_, TimePoint{});
  count_slot(number);
}

std::optional<unsigned> VersionGroup::least_useful(bool old_only) const {
  std::optional<unsigned> best;
  for (const auto& [number, slot] : slots_) {
    if (!slot.machine.wanted() || (old_only && !is_old(slot))) continue;
    if (!best || usefulness(slot.machine.state()) <= usefulness(slots_.at(*best).machine.state())) best = number;
  }
  return best;
}

VersionState VersionGroup::state(bool carries_traffic) const {
  if (failed_) return VersionState::failed;
  if (!target_) return slots_.empty() ? VersionState::stopped : VersionState::draining;
  if (any_routable()) return carries_traffic ? VersionState::serving : VersionState::dark;
  return VersionState::starting;
}

}  // namespace gray::supervisor
