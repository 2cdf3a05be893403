#include "supervisor/worker.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/base/log.hpp"
#include "config/base/units.hpp"
#include "supervisor/kernel/process_table.hpp"
#include "supervisor/probe_ticks.hpp"

namespace gray::supervisor {
namespace {

/// "pid 123 (node)", the first of them; empty if there is none, or it has ended.
std::string first_named(const std::vector<pid_t>& pids) {
  return pids.empty() ? std::string() : describe_process(pids.front());
}

}  // namespace

Worker::Worker(WorkerContext& context, std::string version, std::string id, std::function<void()> wake,
               WorkerPlace place)
    : context_(context), version_(std::move(version)), id_(std::move(id)), wake_(std::move(wake)), place_(place) {}

Worker::~Worker() { end_process(); }

bool Worker::start(const VersionSettings& settings, TimePoint now) {
  settings_ = settings;
  tail_.limit(settings.log_lines);
  for (std::string* text : {&ready_by_, &status_, &detail_, &closed_, &last_answer_}) text->clear();
  forget_probe();
  stranger_.reset();
  listener_.reset();
  ending_ = killed_ = draining_ = ended_ = false;
  leader_status_.reset();
  next_poll_ = started_ = now;
  first_line_ = context_.output;
  judge_.emplace(settings);
  cell_ = context_.host.take_cell();
  if (!cell_) detail_ = "no free cell for a worker in the shared segment; run fewer workers";
  int error = 0;
  if (cell_ && make_process(error)) {
    context_.host.group_started(process_->pid());
    return true;
  }
  if (detail_.empty()) detail_ = std::string("cannot create a process: ") + std::strerror(error);
  end_process();
  return false;
}

bool Worker::make_process(int& error) {
  std::optional<Credentials> user;
  if (!settings_.user.empty() && !(user = find_user(settings_.user))) {
    detail_ = "there is no user \"" + settings_.user + "\" on this host; create it or correct user";
    return false;
  }
  if (user && user->uid == ::geteuid() && !may_change_user()) user.reset();  // it is already our user
  generation_ = ++context_.generation;
  context_.processes[generation_] = place_;
  const bool notifies = judge_->offers(ReadyWay::notify);
  if (notifies || settings_.listen == ListenMode::unix_path) {
    folder_ = context_.folders.make(generation_, user);
    error = errno;
    if (!folder_)
      detail_ = "cannot create a folder for its sockets in any of " + context_.folders.tried() + ": " +
                std::strerror(error) + "; make one of them writable for grayd, or set RUNTIME_DIRECTORY";
    if (!folder_) return false;
  }
  if (!prepare_address(error)) return false;
  const bool inherits = port_ && port_->listens();  // from us, so the socket belongs to our user
  claim_.emplace(user && !inherits ? user->uid : ::geteuid(), inherits);
  WorkerIdentity identity{.version = version_,
                          .worker_id = id_,
                          .generation = generation_,
                          .instance = context_.instance,
                          .inherits_socket = port_ && port_->listens()};
  if (port_ && !port_->listens()) identity.port = port_->number();
  if (!port_) identity.socket_path = address_.path;
  if (notifies) identity.notify_path = folder_->notify_path();
  if (user) {
    identity.user = user->name;
    identity.home = user->home;
    identity.shell = user->shell;
  }
  auto cgroup = context_.cgroups.child("worker-" + std::to_string(generation_));
  oom_kills_ = OomKills::since_now(cgroup ? cgroup->path() : std::string());
  process_ = WorkerProcess::start(context_.io, *this,
                                  {settings_, *judge_, identity, std::move(cgroup), tail_, rate_, context_.scan,
                                   std::move(folder_), user, identity.inherits_socket ? port_->fd() : -1},
                                  error);
  return process_ != nullptr;
}

std::unique_ptr<WorkerProcess> Worker::resumed_process() {
  context_.processes[generation_] = place_;
  WorkerProcess::Owner& owner = *this;
  return std::make_unique<WorkerProcess>(context_.io, owner, tail_, rate_, context_.scan, kRestored);
}

// An inherited socket stays with the slot. An earlier process may have made it non-blocking, which affects all holders.
bool Worker::prepare_address(int& error) {
  const ListenMode listen = settings_.listen;
  if (!port_ || !port_->listens() || listen != ListenMode::inherited) port_.reset();
  if (listen == ListenMode::unix_path) {
    address_ = {};
    address_.kind = Address::Kind::unix_path;
    address_.path = folder_->listen_path();
    return true;
  }
  if (!port_) port_ = listen == ListenMode::inherited ? Port::listen() : Port::reserve();
  error = errno;
  if (!port_) return false;
  address_ = port_->address();
  if (port_->listens())
    ::fcntl(port_->fd(), F_SETFL, 0);
  else if (!reserve_port_)
    port_->release();
  return true;
}

void Worker::retune(const VersionSettings& settings, TimePoint now) {
  if (settings.health != settings_.health) next_poll_ = now;  // the next one was due at the old interval
  settings_.health = settings.health;
  settings_.stop = settings.stop;
  settings_.memory = settings.memory;
  settings_.log_lines = settings.log_lines;
  tail_.limit(settings.log_lines);
}

// For a process that is ended before it was ready, the detail says what was missing.
void Worker::terminate() {
  ending_ = true;
  if (detail_.empty() && ready_by_.empty()) detail_ = closed_;
  if (detail_.empty()) detail_ = failed_probe();
  if (process_) process_->signal(settings_.stop.signal);
}

std::string Worker::failed_probe() const {
  if (last_answer_.empty()) return {};
  std::string text = "last probe of " + address_.text() + ": " + last_answer_;
  if (refused()) text += port_ ? "; it must listen on HOST and PORT" : "; it must listen on GRAY_SOCKET";
  return text;
}

void Worker::kill() {
  if (ending_ && !killed_ && !ended_) detail_ += (detail_.empty() ? "" : "; ") + stop_timed_out();
  killed_ = true;
  if (process_) process_->kill();
  if (leader_status_) report_end();
}

std::string Worker::stop_timed_out() const {
  const char* const name = sigabbrev_np(settings_.stop.signal);
  const auto limit = format_duration(settings_.stop.timeout) + " of SIG" + (name ? name : "?") + " and was killed";
  std::string text = "it did not end within " + limit;
  if (leader_status_) {
    const std::string rest = first_named(process_->group());
    text = "its first process ended, but " + (rest.empty() ? "another one of its group" : rest) + " did not within " +
           limit;
  }
  return text + "; if it ends on another signal, set stop.signal (docs/workers.md lists programs)";
}

std::optional<TimePoint> Worker::next_poll(WorkerState state) const {
  if (!process_ || !(waits(state) || probes(state))) return std::nullopt;
  return next_poll_;
}

std::optional<bool> Worker::poll(WorkerState state, TimePoint now) {
  draining_ = state == WorkerState::draining;
  if (const auto due = next_poll(state); !due || *due > now) return std::nullopt;
  if (probes(state)) return ask_probe(state, now);
  next_poll_.reset();
  if (leader_status_) wait_for_group(now);
  if (state == WorkerState::stopping) return std::nullopt;
  if (state == WorkerState::draining) {
    if (!context_.host.withdrawn(*cell_)) return std::nullopt;
    const bool unused = context_.host.open_sockets(*cell_) == 0;
    report({.kind = unused ? WorkerEvent::unused : WorkerEvent::withdrawn});
  } else if (process_->gone()) {
    end_process();
    report({.kind = WorkerEvent::emptied});
  } else if (!process_->watches_rest()) {
    next_poll_ = now + kLookAgain;
  }
  return std::nullopt;
}

std::optional<TimePoint> Worker::next_weigh(WorkerState state) const {
  return settings_.memory == 0 || state != WorkerState::healthy ? std::nullopt : std::optional(next_weigh_);
}

bool Worker::to_weigh(WorkerState state, TimePoint now) {
  const auto due = next_weigh(state);
  if (!due || *due > now) return false;
  next_weigh_ = next_probe(now, kWeigh, 0);
  return true;
}

std::optional<TimePoint> Worker::next_due(WorkerState state) const {
  const auto poll = next_poll(state), weigh = next_weigh(state);
  return poll && weigh ? std::min(*poll, *weigh) : poll ? poll : weigh;
}

void Worker::said_ready(ReadyWay way) {
  if (judge_->said(way)) become_ready(way, false);
}

void Worker::noticed(const Notice& notice) {
  if (notice.status) status_ = *notice.status;
  if (notice.ready) said_ready(ReadyWay::notify);
  if (notice.extend) report({.kind = WorkerEvent::extend, .delay = *notice.extend});
}

void Worker::ignored(const std::string& why) {
  log(LogLevel::warn, id_ + ": " + why);
  if (ready_by_.empty()) closed_ = why;
}

// A closed channel is not a failure yet: a different channel or a probe may still make the worker ready.
void Worker::closed(ReadyWay way) {
  if (!ready_by_.empty() || !closed_.empty() || judge_->by_probe()) return;
  const std::string_view missing = way == ReadyWay::pipe ? "READY=1" : way == ReadyWay::ipc ? "\"ready\"" : "a newline";
  closed_ = "it closed its channel (" + label(way) + ") before it wrote " + std::string(missing) +
            "; keep it open, or configure another way to be ready";
}

std::string Worker::label(ReadyWay way) const {
  const std::string text(name(way));
  return way == ReadyWay::fd ? text + ":" + std::to_string(settings_.ready.fd) : text;
}

void Worker::become_ready(ReadyWay way, bool by_probe) {
  ready_by_ = label(way);
  detail_.clear();
  last_answer_.clear();
  forget_probe();  // a connect in flight does not check health
  report({.kind = WorkerEvent::said_ready, .by_probe = by_probe});
}

void Worker::spawn_failed(const SpawnError& error, const std::string& text) {
  detail_ = text;
  const bool cgroup = error.stage == SpawnError::Stage::cgroup;
  if (cgroup) {
    context_.cgroups.give_up();
    log(LogLevel::warn, id_ + ": " + text + "; the processes of a worker are tracked by session from now on");
  }
  report({.kind = WorkerEvent::exec_failed, .status = cgroup ? EAGAIN : error.error});
}

// A server without SO_REUSEADDR cannot listen on a port that we hold; the next try releases it, the one after holds it
// again, in case that was not the reason.
void Worker::exited(int status) {
  if (ready_by_.empty()) reserve_port_ = !reserve_port_;
  leader_status_ = status;
  const bool may_finish = (ending_ || draining_) && !killed_;
  if (!may_finish) return report_end();
  look_again(Clock::now());  // in the turn, where one look at the processes serves all workers that ended
  wake_();
}

void Worker::wait_for_group(TimePoint now) {
  if (process_->group_ended()) return report_end();
  if (!process_->watches_rest()) next_poll_ = now + kLookAgain;
}

void Worker::report_end() {
  const int status = *std::exchange(leader_status_, std::nullopt);
  ended_ = true;
  const std::string left = status == 0 && !ending_ && !draining_ ? survivor() : std::string();
  if (!left.empty())
    detail_ = "its first process ended while " + left + " of it is still running; keep it in the foreground" +
              " (nginx: daemon off; a script: exec, and no &)";
  const bool oom = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !killed_ && oom_kills_->any();
  if (oom)
    detail_ = "the kernel killed it because memory was exhausted (" + oom_kills_->source() +
              "); give it more memory or reduce its load";
  report({.kind = WorkerEvent::exited, .status = status, .survived = !left.empty(), .out_of_memory = oom});
}

void Worker::rest_changed() {
  look_again(Clock::now());
  wake_();
}

std::vector<std::string> Worker::own_lines() const {
  std::vector<std::string> lines;
  for (const OutputLine* line : tail_.after(first_line_)) lines.push_back(line->text);
  return lines;
}

std::string Worker::survivor() const { return first_named(process_->members()); }

void Worker::wrote(const std::string& line) { log(LogLevel::info, id_ + ": " + line); }

void Worker::end_process() {
  if (process_) context_.host.group_gone(process_->pid());
  process_.reset();
  folder_.reset();
  if (port_ && !port_->listens()) port_.reset();
  forget_probe();
  context_.processes.erase(generation_);
  if (cell_) context_.host.give_cell(*cell_);
  cell_.reset();
}

WorkerView Worker::view() const {
  WorkerView view;
  view.id = id_;
  if (!process_) return view;
  view.pid = process_->pid();
  view.address = address_;
  view.ready_by = ready_by_;
  view.status = status_;
  view.started = started_;
  view.generation = generation_;
  view.cell = *cell_;
  view.owner = claim_->owner();
  view.listener = listener_.value_or(ListenerView{});
  return view;
}

}  // namespace gray::supervisor
