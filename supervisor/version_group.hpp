#pragma once
// The workers of one version as a pure group: their number, their settings, their replacement, and the state of the
// version. Machines decide about single workers, the group about their number.
//
// A rolling replacement is a difference between the target settings and the settings of workers: one new worker more
// than wanted is started; when it is proven (worker_machine.hpp), one old worker is drained; and so on.
//
// The replacement runs until no process with old settings is left. Until then the first new worker that ends, whether
// it has replaced an old one or not, undoes all of it: the previous settings become the target again, and the same rule
// replaces the new workers. They are under suspicion: a worker with the previous settings replaces one as soon as it is
// healthy, and a new one that ends is not started again. New workers whose process would be the same with the previous
// settings stay, because there is nothing older to start.
//
// Invariant: `counts_` describes every slot as it is. A slot is counted again when its machine or its settings have
// changed, all of them only when the target settings have: an event of one worker costs the same however many there
// are.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/shared/version_view.hpp"
#include "supervisor/restart_policy.hpp"
#include "supervisor/slot_counts.hpp"
#include "supervisor/worker_machine.hpp"

namespace gray::supervisor {

class VersionGroup {
 public:
  struct WorkerSlot {
    std::shared_ptr<const VersionSettings> settings;
    WorkerMachine machine;
    unsigned streak = 0;         // unstable ends in a row
    std::uint32_t restarts = 0;  // starts after the first
    bool started = false;
    std::string last_exit;  // cause of the last end
  };
  /// The last replacement of every worker.
  struct Replacement {
    unsigned number = 0;  // 1, 2, ...
    ReplacementState state = ReplacementState::running;
    std::uint32_t replaced = 0, of = 0;  // workers; done when all are replaced and no old one is left
    std::string reason;                  // failed: the cause of the end, or "stopped"
    template <class Io>
    void archive(Io& io) {
      io("number", number);
      io("state", state);
      io("replaced", replaced);
      io("of", of);
      io("reason", reason);
    }
  };
  /// What the shell must do to the worker in a slot.
  struct Command {
    unsigned worker_slot;
    Actions actions;
    template <class Io>
    void archive(Io& io) {
      io("slot", worker_slot);
      io("actions", actions);
    }
  };

  /// A change of a worker's state, for events.
  struct Transition {
    unsigned worker_slot;
    WorkerState from, to;
    std::string cause, exit_text;  // of the machine
    Duration delay{0};             // to backoff: until the next start
    bool displaced = false;        // to unhealthy, also from it: a different process answers at its address
    template <class Io>
    void archive(Io& io) {
      io("slot", worker_slot);
      io("from", from);
      io("to", to);
      io("cause", cause);
      io("exit_text", exit_text);
      io("delay", delay);
      io("displaced", displaced);
    }
  };

  /// `seed` of the jitter. No worker before apply().
  explicit VersionGroup(std::uint64_t seed) : policy_(seed), seed_(seed) {}

  /// Makes these the settings; starts the version if it is stopped or failed. Its workers are replaced only if they
  /// could not have been started with these (same_process()); otherwise they are retuned.
  void apply(const VersionSettings& settings, TimePoint now);
  /// Replaces every worker, one after the other, with the settings they have. Nothing happens while it is stopped.
  void restart(TimePoint now);
  /// Ends every worker: `how` is drain, dismiss or stop.
  void stop(WorkerEvent how, TimePoint now);
  void probing(bool possible, TimePoint now);
  /// Something happened to the worker in a slot. An event for a slot that is gone is ignored. `emptied` is answered by
  /// the restart policy: the shell need not know retry and give_up.
  void on(unsigned worker_slot, Event event, bool carries_traffic, TimePoint now);
  /// Hands `timeout` to each worker whose deadline has come.
  void expire(bool carries_traffic, TimePoint now);
  /// The worker in a slot uses so many bytes. If its settings allow less, it is replaced like one with old settings: a
  /// new worker first, healthy, then it drains. One at a time, none while others are replaced, and only one that has
  /// run stably, so that a limit that is too low causes some restarts, but never an outage. True if a replacement
  /// begins.
  bool weighed(unsigned worker_slot, std::uint64_t bytes, TimePoint now);
  /// A process could not be created; the delay comes from the policy.
  void exhausted(unsigned worker_slot, TimePoint now);

  /// A worker that waits for permission to start; the shell answers with WorkerEvent::start.
  std::optional<unsigned> startable() const { return counts_.startable(); }
  std::optional<TimePoint> next_deadline() const { return counts_.deadlines().next(); }
  std::vector<Command> take_commands() { return std::exchange(commands_, {}); }
  std::vector<Transition> take_transitions() { return std::exchange(transitions_, {}); }
  const std::map<unsigned, WorkerSlot>& slots() const { return slots_; }
  std::size_t count(WorkerState state) const { return counts_.in(state); }
  const SlotCounts& counts() const { return counts_; }
  bool empty() const { return slots_.empty(); }
  VersionState state(bool carries_traffic) const;
  /// A rolling replacement is under way.
  bool replacing() const { return previous_ != nullptr; }
  /// Its workers end repeatedly, and are restarted because it carries traffic.
  bool crashing() const { return !failed_ && target_ && policy_.crashing(); }
  /// Why the last replacement was undone; empty if it was not.
  const std::string& rolled_back() const { return rolled_back_; }
  /// Nothing before the first replacement.
  const std::optional<Replacement>& replacement() const { return replacement_; }

  /// For config/base/archive.hpp. A replacement depends on which slots share their settings with the target, so the
  /// settings are written once each, and slots name them by index.
  template <class Io>
  void archive(Io& io) {
    SettingsPool pool;
    if constexpr (!Io::kLoads) pool.gather(*this);
    io("settings", pool.settings);
    for (const auto& one : pool.settings) io.check("settings", !one.command.empty());
    auto target = pool.index_of(target_), previous = pool.index_of(previous_);
    io("target", target);
    io("previous", previous);
    auto slots = pool.numbered(slots_);
    io("slots", slots);
    if constexpr (Io::kLoads) pool.give_back(*this, target, previous, std::move(slots));
    io("commands", commands_);
    io("transitions", transitions_);
    io("policy", policy_);
    io("rolled_back", rolled_back_);
    io("replacement", replacement_);
    io("gentle", gentle_);
    io("prove", prove_);
    io("failed", failed_);
    io("probing", probing_);
    if constexpr (Io::kLoads) count_all();
  }

 private:
  /// A slot whose settings are an index into the pool; machines are moved, not copied, in and out of it.
  struct NumberedSlot {
    std::optional<std::size_t> settings;
    WorkerSlot slot;
    template <class Io>
    void archive(Io& io) {
      io("settings", settings);
      io("machine", slot.machine);
      io("streak", slot.streak);
      io("restarts", slot.restarts);
      io("started", slot.started);
      io("last_exit", slot.last_exit);
    }
  };
  struct SettingsPool {
    std::vector<std::shared_ptr<const VersionSettings>> shared;
    std::vector<VersionSettings> settings;

    void gather(const VersionGroup& group);
    std::optional<std::size_t> index_of(const std::shared_ptr<const VersionSettings>& one) const;
    std::map<unsigned, NumberedSlot> numbered(const std::map<unsigned, WorkerSlot>& slots) const;
    void give_back(VersionGroup& group, std::optional<std::size_t> target, std::optional<std::size_t> previous,
                   std::map<unsigned, NumberedSlot> slots);
  };

  void count_slot(unsigned worker_slot);
  void count_all();
  void feed(unsigned worker_slot, const Event& event, TimePoint now);
  void end_of(unsigned worker_slot, bool carries_traffic, TimePoint now);
  void begin(WorkerSlot& slot);
  static void retune(WorkerSlot& slot, std::shared_ptr<const VersionSettings> settings);
  void fail(unsigned emptied, TimePoint now);
  bool is_new(const WorkerSlot& slot) const { return previous_ != nullptr && slot.settings == target_; }
  void end_unfit(unsigned worker_slot, TimePoint now);
  void remove(unsigned emptied, TimePoint now);
  void undo_replacement(WorkerSlot& failed, unsigned worker_slot, TimePoint now);
  void reconcile(TimePoint now);
  void settle(TimePoint now);
  void follow_replacement();
  void replacement_failed(std::string reason);
  void replace_one(TimePoint now);
  void set_target(std::shared_ptr<const VersionSettings> settings);
  void add();
  void drain(unsigned worker_slot, TimePoint now) { feed(worker_slot, {.kind = WorkerEvent::drain}, now); }
  bool is_old(const WorkerSlot& slot) const { return slot.machine.wanted() && slot.settings != target_; }
  bool any_old() const { return counts_.wanted() > counts_.current_wanted(); }
  /// Also of workers that are not wanted any more.
  bool any_old_process() const { return counts_.all() > counts_.current(); }
  bool any_routable() const { return count(WorkerState::healthy) > 0; }
  std::size_t wanted() const { return counts_.wanted(); }
  std::optional<unsigned> least_useful(bool old_only) const;

  RestartPolicy policy_;
  std::uint64_t seed_;
  std::shared_ptr<const VersionSettings> target_;    // null: stopped
  std::shared_ptr<const VersionSettings> previous_;  // set while a replacement runs
  std::map<unsigned, WorkerSlot> slots_;
  SlotCounts counts_;  // of slots_
  std::vector<Command> commands_;
  std::vector<Transition> transitions_;
  std::string rolled_back_;
  std::optional<Replacement> replacement_;
  bool gentle_ = false;  // something was routable when the replacement began: one after the other
  bool prove_ = false;   // only a proven worker replaces another; not while a replacement is undone
  bool failed_ = false;
  bool probing_ = true;
};

}  // namespace gray::supervisor
