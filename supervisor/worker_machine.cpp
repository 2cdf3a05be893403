#include "supervisor/worker_machine.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gray::supervisor {
namespace {

enum class Step : std::uint8_t {
  unset,  // a missing entry in the table; the check below finds it
  keep,   // nothing to do in this state; also for late and repeated events
  // clang-format off
  spawn, shelve, executed, exec_error, ready, extend, pass, miss, displace, withdraw, dismiss, let_go, preempt, unwant,
  drop, drained, late, sick, prove, tired, kill, due, end, rest, retry, fail,
  // clang-format on
};

constexpr std::string_view kStopped = "stopped";

using Row = std::array<Step, kWorkerStates>;

// One row per event, one column per state.
// clang-format off
constexpr std::array<Row, kWorkerEvents> make_table() {
  using enum Step;
  constexpr Step none = keep;
  return {{
      //             idle   spawned     ready    healthy   unhealthy draining  stopping exited   backoff  failed
      /*start*/     {spawn, none,       none,    none,     none,     none,     none,    none,    spawn,   spawn},
      /*no_resour*/ {none,  shelve,     none,    none,     none,     none,     none,    none,    none,    none},
      /*executed*/  {none,  executed,   none,    none,     none,     none,     none,    none,    none,    none},
      /*exec_fail*/ {none,  exec_error, none,    none,     none,     none,     none,    none,    none,    none},
      /*said_rea*/  {none,  ready,      none,    none,     none,     none,     none,    none,    none,    none},
      /*extend*/    {none,  extend,     none,    none,     none,     none,     none,    none,    none,    none},
      /*probe_ok*/  {none,  none,       pass,    pass,     pass,     none,     none,    none,    none,    none},
      /*probe_fai*/ {none,  none,       miss,    miss,     miss,     none,     none,    none,    none,    none},
      /*addr_take*/ {none,  none,       miss,    displace, displace, none,     none,     none,    none,    none},
      /*drain*/     {drop,  preempt,    preempt, withdraw, withdraw, none,     unwant,  unwant,  drop,    drop},
      /*stop*/      {drop,  preempt,    preempt, preempt,  preempt,  preempt,  unwant,  unwant,  drop,    drop},
      /*dismiss*/   {drop,  preempt,    preempt, dismiss,  dismiss,  dismiss,  unwant,  unwant,  drop,    drop},
      /*withdrawn*/ {none,  none,       none,    none,     none,     let_go,   none,    none,    none,    none},
      /*unused*/    {none,  none,       none,    none,     none,     drained,  none,    none,    none,    none},
      /*timeout*/   {none,  late,       sick,    prove,    tired,    drained,  kill,    kill,    due,     none},
      /*exited*/    {none,  end,        end,     end,      end,      end,      end,     none,    none,    none},
      /*emptied*/   {none,  none,       none,    none,     none,     none,     none,    rest,    none,    none},
      /*retry*/     {none,  none,       none,    none,     none,     none,     none,    retry,   none,    none},
      /*give_up*/   {fail,  none,       none,    none,     none,     none,     none,    fail,    fail,    none},
  }};
}
// clang-format on

constexpr std::array<Row, kWorkerEvents> kTable = make_table();

constexpr bool complete() {
  for (const Row& row : kTable)
    for (const Step step : row)
      if (step == Step::unset) return false;
  return true;
}
static_assert(complete(), "every event needs an answer in every state");
static_assert(static_cast<std::size_t>(WorkerState::failed) + 1 == kWorkerStates);
static_assert(static_cast<std::size_t>(WorkerEvent::give_up) + 1 == kWorkerEvents);

constexpr std::array<std::string_view, kWorkerEvents> kEventNames = {
    "start",        "no_resources",  "executed", "exec_failed", "said_ready", "extend",    "probe_ok",
    "probe_failed", "address_taken", "drain",    "stop",        "dismiss",    "withdrawn", "unused",
    "timeout",      "exited",        "emptied",  "retry",       "give_up"};

std::string status_text(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string_view name(WorkerEvent event) { return kEventNames[static_cast<std::size_t>(event)]; }

WorkerTimes WorkerTimes::of(const VersionSettings& settings, bool ready_by_probe) {
  return {settings.ready.timeout, ready_by_probe,        settings.health.rise, settings.health.fall,
          settings.drain_timeout, settings.stop.timeout, settings.min_healthy};
}

bool WorkerMachine::exec_error_passes(int error) {
  return error == ETXTBSY || error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

bool WorkerMachine::startable() const {
  return wanted_ && !deadline_ && (state_ == WorkerState::idle || state_ == WorkerState::backoff);
}

bool WorkerMachine::alive() const {
  return state_ != WorkerState::idle && state_ != WorkerState::backoff && state_ != WorkerState::failed;
}

// clang-format off
Actions WorkerMachine::on(const Event& event, TimePoint now) {
  switch (kTable[static_cast<std::size_t>(event.kind)][static_cast<std::size_t>(state_)]) {
    case Step::unset:
    case Step::keep: return {};
    case Step::spawn: return spawn(now);
    case Step::shelve: blame("resources"); [[fallthrough]];
    case Step::retry: enter(WorkerState::backoff); arm(event.delay, now); return {Action::changed};
    case Step::executed: return begin_program(now);
    case Step::exec_error: exec_error_ = event.status; return {};
    case Step::ready: return begin_ready(event, now);
    case Step::extend: return extend(event.delay, now);
    case Step::pass: return pass(now);
    case Step::miss: return miss(now);
    case Step::displace: return displace();
    case Step::withdraw: return leave_routing(times_.drain_timeout, now);
    case Step::dismiss: return dismiss(now);
    case Step::let_go: return dismissed_ ? terminate(kStopped, now) : Actions{};
    case Step::preempt: wanted_ = false; return terminate(kStopped, now);
    case Step::unwant: wanted_ = false; return {};
    case Step::drop: wanted_ = false; return settle(WorkerState::idle);
    case Step::drained: return terminate(kStopped, now);
    case Step::late: return start_timed_out(now);
    case Step::sick: return terminate("never-healthy", now);
    case Step::prove: return ask_for_proof();
    case Step::tired: return judge_unhealthy(event.alone, now);
    case Step::kill: return kill(now);
    case Step::due: disarm(); return {};
    case Step::end: return end(event, now);
    case Step::rest: return settle(WorkerState::idle);
    case Step::fail: return settle(WorkerState::failed);
  }
  return {};
}
// clang-format on

void WorkerMachine::probing(bool possible, TimePoint now) {
  if (possible == probing_) return;
  probing_ = possible;
  if (!deadline_needs_probes_) return;
  if (possible && paused_) {
    deadline_ = now + *paused_;
    paused_.reset();
  } else if (!possible && deadline_) {
    paused_ = std::chrono::duration_cast<Duration>(std::max(*deadline_, now) - now);
    deadline_.reset();
  }
}

void WorkerMachine::enter(WorkerState state) {
  state_ = state;
  displaced_ = proof_due_ = false;
  disarm();
}

void WorkerMachine::disarm() {
  deadline_.reset();
  paused_.reset();
  deadline_needs_probes_ = false;
}

void WorkerMachine::arm(Duration after, TimePoint now, bool needs_probes) {
  disarm();
  deadline_needs_probes_ = needs_probes;
  if (needs_probes && !probing_)
    paused_ = after;
  else
    deadline_ = now + after;
}

// The first cause is the right one: later ones (a stop, a signal) are its consequences.
void WorkerMachine::blame(std::string_view cause) {
  if (cause_.empty()) cause_ = cause;
}

Actions WorkerMachine::spawn(TimePoint now) {
  times_ = next_times_;
  executed_ = said_ready_ = proven_ = false;
  passes_ = misses_ = kills_ = 0;
  exec_error_ = 0;
  healthy_since_.reset();
  cause_.clear();
  exit_text_.clear();
  enter(WorkerState::spawned);
  arm(kExecTimeout, now);
  return {Action::changed, Action::spawn};
}

Actions WorkerMachine::begin_program(TimePoint now) {
  executed_ = true;
  executed_at_ = now;
  arm(times_.ready_timeout, now, times_.ready_by_probe);
  return {};
}

// A probe that made it ready was already one success; one more, of the health check, is enough.
Actions WorkerMachine::begin_ready(const Event& event, TimePoint now) {
  said_ready_ = true;
  needed_ = event.by_probe ? 1 : times_.rise;
  enter(WorkerState::ready);
  arm(kHealthTimeout, now, true);
  return {Action::changed};
}

// Never shortens the deadline, and never exceeds the bound. Before the program runs, no extension is possible.
Actions WorkerMachine::extend(Duration by, TimePoint now) {
  if (!executed_) return {};
  const auto left = paused_ ? *paused_ : std::chrono::duration_cast<Duration>(deadline_.value_or(now) - now);
  const auto most = std::chrono::duration_cast<Duration>(executed_at_ + kLongestStart - now);
  if (std::min(by, most) > left) arm(std::min(by, most), now, times_.ready_by_probe);
  return {};
}

Actions WorkerMachine::pass(TimePoint now) {
  misses_ = 0;
  ++passes_;
  proven_ = proven_ || std::exchange(proof_due_, false);
  if (state_ == WorkerState::healthy || passes_ < needed_) return {};
  enter(WorkerState::healthy);
  if (!healthy_since_) healthy_since_ = now;
  needed_ = times_.rise;
  if (times_.min_healthy == Duration{0}) proven_ = true;
  if (!proven_) arm(times_.min_healthy, now, true);
  return {Action::changed};
}

// Time alone proves nothing: the last check may have passed before the worker broke, or grayd was stopped meanwhile.
Actions WorkerMachine::ask_for_proof() {
  disarm();
  proof_due_ = !proven_;
  return proof_due_ ? Actions{Action::probe} : Actions{};
}

Actions WorkerMachine::miss(TimePoint now) {
  passes_ = 0;
  ++misses_;
  if (std::exchange(displaced_, false)) arm(kUnhealthyTimeout, now, true);
  if (state_ != WorkerState::healthy || misses_ < times_.fall) return {};
  enter(WorkerState::unhealthy);
  arm(kUnhealthyTimeout, now, true);
  return {Action::changed};
}

Actions WorkerMachine::displace() {
  const bool withdrawn = state_ == WorkerState::healthy;
  enter(WorkerState::unhealthy);
  displaced_ = true;
  passes_ = misses_ = 0;
  needed_ = 1;
  return withdrawn ? Actions{Action::changed} : Actions{};
}

Actions WorkerMachine::leave_routing(Duration until_stopped, TimePoint now) {
  wanted_ = false;
  enter(WorkerState::draining);
  arm(until_stopped, now);
  return {Action::changed};
}

Actions WorkerMachine::dismiss(TimePoint now) {
  if (std::exchange(dismissed_, true)) return {};
  return leave_routing(std::min(times_.drain_timeout, kWithdrawTimeout), now);
}

Actions WorkerMachine::start_timed_out(TimePoint now) {
  if (executed_) return terminate("ready-timeout", now);
  blame("exec-timeout");  // stuck before the program: it has no handler that a gentle signal could reach
  enter(WorkerState::stopping);
  arm(kKillInterval, now);
  ++kills_;
  return {Action::changed, Action::kill};
}

Actions WorkerMachine::terminate(std::string_view cause, TimePoint now) {
  blame(cause);
  enter(WorkerState::stopping);
  arm(times_.stop_timeout, now);
  return {Action::changed, Action::terminate};
}

// If no other worker is routable, the probe itself is probably wrong, and a restart would only make things worse.
Actions WorkerMachine::judge_unhealthy(bool alone, TimePoint now) {
  if (!alone) return terminate("unhealthy", now);
  arm(kUnhealthyTimeout, now, true);
  return {};
}

Actions WorkerMachine::kill(TimePoint now) {
  if (state_ == WorkerState::stopping && kills_ == 0 && cause_ == kStopped) cause_ = kStopTimeout;
  arm(kKillInterval, now);
  if (++kills_ < 3) return {Action::kill};
  cause_ = "unkillable";
  return {Action::changed, Action::kill};
}

Actions WorkerMachine::end(const Event& event, TimePoint now) {
  exit_text_ = status_text(event.status);
  if (exec_error_ != 0) {
    const char* text = strerrorname_np(exec_error_);
    blame(exec_exhausted() ? "resources" : std::string("exec:") + (text ? text : std::to_string(exec_error_)));
  }
  if (event.out_of_memory) blame("oom");
  const bool starting = state_ == WorkerState::spawned || state_ == WorkerState::ready;
  if (starting && event.status == 0 && event.survived) blame("daemonised");
  blame(state_ == WorkerState::spawned ? "died-before-ready" : exit_text_);
  enter(WorkerState::exited);
  arm(kKillInterval, now);
  kills_ = 0;
  return {Action::changed, Action::kill};
}

Actions WorkerMachine::settle(WorkerState state) {
  enter(state);
  return {Action::changed};
}

}  // namespace gray::supervisor
