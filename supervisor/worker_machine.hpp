#pragma once
// The life of one worker slot as a pure state machine: events and `now` in, actions out. One table, state by event,
// complete at compile time (worker_machine.cpp). The shell owns processes, channels, probes and clocks.
//
// Invariants:
//   - routable is the same as healthy;
//   - a worker is proven once it was healthy for `min_healthy` without a break and a check passed after that. One
//     process is proven once; a worker that becomes unhealthy before begins again;
//   - a slot is wanted from its creation until drain or stop, and never again: a later worker gets a new slot;
//   - an unwanted slot ends in idle; a wanted one in back-off, or in failed if the version has failed;
//   - a worker whose address was taken is unhealthy without a deadline: it may be all right itself, and a restart would
//     not end the other process. Its next passed check makes it healthy; its next failed one starts the deadline;
//   - every live state has a deadline or is being probed; deadlines that depend on probes are paused while no router
//     can probe.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"

namespace gray::supervisor {

/// The cause of a worker that had to be killed although it was only to be stopped.
inline constexpr std::string_view kStopTimeout = "stop-timeout";

enum class WorkerEvent : std::uint8_t {
  start,         // the slot may start a process now
  no_resources,  // the process could not be created; not the version's fault; Event::delay until the next try
  executed,      // the program runs
  exec_failed,   // the program could not be run: Event::status is the errno
  said_ready,    // by a channel, or by a probe (Event::by_probe)
  extend,        // it asks for Event::delay from now on to become ready
  probe_ok,      // a health check passed
  probe_failed,
  address_taken,  // a different process answers at its address
  drain,          // no longer wanted; may finish its requests
  stop,           // no longer wanted; at once
  dismiss,        // no longer wanted; stopped as soon as no router chooses it, even if it has requests
  withdrawn,      // no router chooses it any more
  unused,         // likewise, and no router holds a socket to it any more
  timeout,        // next_deadline() has come (Event::alone: no other worker of the version is routable)
  // The started process is dead. Event::status as in waitpid(2); Event::survived: processes that it forked are alive;
  // Event::out_of_memory: the kernel killed it because memory was exhausted.
  exited,
  emptied,  // no process of an unwanted worker is left
  retry,    // likewise, of a wanted worker; start again after Event::delay
  give_up,  // likewise, of a wanted worker whose version has failed
};
inline constexpr std::size_t kWorkerEvents = 19;
constexpr WorkerEvent last_value(WorkerEvent) { return WorkerEvent::give_up; }

std::string_view name(WorkerEvent event);

struct Event {
  WorkerEvent kind;
  int status = 0;
  Duration delay{0};
  bool by_probe = false;
  bool alone = false;
  bool survived = false;
  bool out_of_memory = false;

  template <class Io>
  void archive(Io& io) {
    io("kind", kind);
    io("status", status);
    io("delay", delay);
    io("by_probe", by_probe);
    io("alone", alone);
    io("survived", survived);
    io("out_of_memory", out_of_memory);
  }
};

/// The actions for the shell, in this order.
enum class Action : std::uint8_t {
  changed = 1,    // state changed: publish
  terminate = 2,  // stop signal and SIGCONT to the group
  kill = 4,       // SIGKILL to all processes of the worker
  spawn = 8,      // start a process
  probe = 16,     // ask for a probe now
};

class Actions {
 public:
  constexpr Actions() = default;
  constexpr Actions(std::initializer_list<Action> actions) {
    for (const Action action : actions) add(action);
  }
  constexpr void add(Action action) { bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(action)); }
  constexpr bool has(Action action) const { return (bits_ & static_cast<std::uint8_t>(action)) != 0; }
  constexpr bool operator==(const Actions&) const = default;
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("bits", bits_);
  }

 private:
  std::uint8_t bits_ = 0;
};

/// The settings that the machine needs; read again at each start.
struct WorkerTimes {
  Duration ready_timeout{60'000};  // from exec to ready
  bool ready_by_probe = false;     // a probe may make it ready
  std::uint32_t rise = 2;
  std::uint32_t fall = 3;
  Duration drain_timeout{30'000};
  Duration stop_timeout{10'000};
  Duration min_healthy{5'000};  // until it is proven

  template <class Io>
  void archive(Io& io) {
    io("ready_timeout", ready_timeout);
    io("ready_by_probe", ready_by_probe);
    io("rise", rise);
    io("fall", fall);
    io("drain_timeout", drain_timeout);
    io("stop_timeout", stop_timeout);
    io("min_healthy", min_healthy);
  }
  static WorkerTimes of(const VersionSettings& settings, bool ready_by_probe);
};

class WorkerMachine {
 public:
  static constexpr Duration kExecTimeout{5'000};
  static constexpr Duration kLongestStart{600'000};     // from exec, with all extensions
  static constexpr Duration kHealthTimeout{10'000};     // ready, but never healthy
  static constexpr Duration kUnhealthyTimeout{30'000};  // unhealthy, until it is restarted
  static constexpr Duration kWithdrawTimeout{5'000};    // dismissed, until it is stopped even if a router lags
  static constexpr Duration kKillInterval{5'000};       // SIGKILL is sent again
  static constexpr Duration kStableRun{30'000};         // healthy that long: the next restart is immediate

  Actions on(const Event& event, TimePoint now);
  /// Whether a router can probe. While none can, deadlines that depend on probes are paused.
  void probing(bool possible, TimePoint now);
  /// Effective from the next start on.
  void set_times(const WorkerTimes& times) { next_times_ = times; }
  /// Effective at once: from the next probe on, and for every wait that begins later.
  void retune(const WorkerTimes& times) { times_ = next_times_ = times; }

  WorkerState state() const { return state_; }
  std::optional<TimePoint> next_deadline() const { return deadline_; }
  bool wanted() const { return wanted_; }
  bool routable() const { return state_ == WorkerState::healthy; }
  /// Healthy, and its process has been for long enough to replace another.
  bool proven() const { return proven_ && routable(); }
  /// It was at some time; only its process can lose that.
  bool was_proven() const { return proven_; }
  /// Unhealthy because a different process answers at its address.
  bool displaced() const { return displaced_; }
  /// Waits only for permission to start.
  bool startable() const;
  /// A process of this slot may be alive.
  bool alive() const;
  /// Why the last process ended: "died-before-ready", "exit 3", "exec:ENOENT" ...; while a process is being ended, why.
  const std::string& cause() const { return cause_; }
  /// "exit 3" or "signal 9"; empty before the first exit.
  const std::string& exit_text() const { return exit_text_; }
  bool said_ready() const { return said_ready_; }
  bool was_healthy() const { return healthy_since_.has_value(); }
  bool ran_stably(TimePoint now) const { return healthy_since_ && now - *healthy_since_ >= kStableRun; }
  /// The program could not be run, and a retry with the same file would not help.
  bool exec_hopeless() const { return exec_error_ != 0 && !exec_error_passes(exec_error_); }
  /// The program could not be run because of a lack of memory or processes: not the version's fault.
  bool exec_exhausted() const { return exec_error_ != 0 && exec_error_passes(exec_error_); }
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("state", state_);
    io("times", times_);
    io("next_times", next_times_);
    io("deadline", deadline_);
    io("paused", paused_);
    io("deadline_needs_probes", deadline_needs_probes_);
    io("probing", probing_);
    io("wanted", wanted_);
    io("dismissed", dismissed_);
    io("displaced", displaced_);
    io("proven", proven_);
    io("proof_due", proof_due_);
    io("executed", executed_);
    io("said_ready", said_ready_);
    io("needed", needed_);
    io("passes", passes_);
    io("misses", misses_);
    io("kills", kills_);
    io("exec_error", exec_error_);
    io("executed_at", executed_at_);
    io("healthy_since", healthy_since_);
    io("cause", cause_);
    io("exit_text", exit_text_);
  }

 private:
  static bool exec_error_passes(int error);
  void enter(WorkerState state);
  void arm(Duration after, TimePoint now, bool needs_probes = false);
  void disarm();
  void blame(std::string_view cause);

  Actions spawn(TimePoint now);
  Actions begin_program(TimePoint now);
  Actions begin_ready(const Event& event, TimePoint now);
  Actions extend(Duration by, TimePoint now);
  Actions pass(TimePoint now);
  Actions ask_for_proof();
  Actions miss(TimePoint now);
  Actions displace();
  Actions leave_routing(Duration until_stopped, TimePoint now);
  Actions dismiss(TimePoint now);
  Actions start_timed_out(TimePoint now);
  Actions terminate(std::string_view cause, TimePoint now);
  Actions judge_unhealthy(bool alone, TimePoint now);
  Actions kill(TimePoint now);
  Actions end(const Event& event, TimePoint now);
  Actions settle(WorkerState state);

  WorkerState state_ = WorkerState::idle;
  WorkerTimes times_, next_times_;
  std::optional<TimePoint> deadline_;
  std::optional<Duration> paused_;  // the rest of a paused deadline
  bool deadline_needs_probes_ = false;
  bool probing_ = true;
  bool wanted_ = true;
  bool dismissed_ = false;
  bool displaced_ = false;
  bool proven_ = false;
  bool proof_due_ = false;  // healthy for min_healthy: the next passed check proves it
  bool executed_ = false;
  bool said_ready_ = false;
  std::uint32_t needed_ = 1;  // successes in a row until healthy
  std::uint32_t passes_ = 0;  // in a row
  std::uint32_t misses_ = 0;
  std::uint32_t kills_ = 0;
  int exec_error_ = 0;
  TimePoint executed_at_{};
  std::optional<TimePoint> healthy_since_;
  std::string cause_;
  std::string exit_text_;
};

}  // namespace gray::supervisor
