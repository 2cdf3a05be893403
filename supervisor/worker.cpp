#include "supervisor/worker.hpp"

#include <cerrno>
#include <cstring>

#include "config/log.hpp"
#include "supervisor/process_table.hpp"

namespace gray::supervisor {
namespace {

constexpr Duration kProbeSlack{2'000};  // an answer that is later than its timeout by this will not come

Address loopback(std::uint16_t port) {
  Address address;
  address.ip = {127, 0, 0, 1};
  address.port = port;
  return address;
}

}  // namespace

Worker::Worker(WorkerContext& context, std::string version, std::string id, std::function<void()> wake)
    : context_(context), version_(std::move(version)), id_(std::move(id)), wake_(std::move(wake)) {}

Worker::~Worker() { end_process(); }

bool Worker::start(const VersionSettings& settings, TimePoint now) {
  settings_ = settings;
  ready_by_.clear();
  detail_.clear();
  asked_ = 0;
  next_poll_ = started_ = now;
  judge_.emplace(settings.ready, settings.command.front());
  cell_ = context_.host.take_cell();
  port_ = Port::reserve();
  int error = errno;
  if (!cell_) detail_ = "no free cell for a worker in the shared segment; run fewer workers";
  if (cell_ && port_) {
    if (!reserve_port_) port_->release();
    generation_ = ++context_.generation;
    WorkerIdentity identity{version_, id_, generation_, context_.instance, port_->number(), {}, {}};
    auto cgroup = context_.cgroups.child("worker-" + std::to_string(generation_));
    process_ = WorkerProcess::start(context_.io, *this, {settings_, *judge_, identity, std::move(cgroup), tail_, rate_},
                                    error);
  }
  if (process_) {
    context_.host.group_started(process_->pid());
    return true;
  }
  if (detail_.empty()) detail_ = std::string("cannot make a process: ") + std::strerror(error);
  end_process();
  return false;
}

void Worker::terminate() {
  if (process_) process_->signal(settings_.stop.signal);
}

void Worker::kill() {
  if (process_) process_->kill();
}

bool Worker::probes(WorkerState state) const {
  if (state == WorkerState::spawned) return judge_ && judge_->offers(ReadyWay::tcp);
  return state == WorkerState::ready || state == WorkerState::healthy || state == WorkerState::unhealthy;
}

std::optional<TimePoint> Worker::next_poll(WorkerState state) const {
  const bool waits = state == WorkerState::draining || state == WorkerState::exited;
  if (!process_ || !(waits || probes(state))) return std::nullopt;
  return next_poll_;
}

std::optional<bool> Worker::poll(WorkerState state, TimePoint now) {
  if (const auto due = next_poll(state); !due || *due > now) return std::nullopt;
  if (probes(state)) return ask_probe(state, now);
  next_poll_ = now + kPoll;
  if (state == WorkerState::draining) {
    if (context_.host.withdrawn(*cell_) && context_.host.open_sockets(*cell_) == 0)
      report({.kind = WorkerEvent::unused});
  } else if (process_->gone()) {
    end_process();
    report({.kind = WorkerEvent::emptied});
  }
  return std::nullopt;
}

std::optional<bool> Worker::ask_probe(WorkerState state, TimePoint now) {
  const bool fast = state == WorkerState::spawned || state == WorkerState::ready;
  next_poll_ = now + (fast ? kFastProbe : settings_.health.interval);
  if (asked_ != 0 && now < asked_at_ + settings_.health.timeout + kProbeSlack) return std::nullopt;
  asked_ = ++context_.probe;
  asked_at_ = now;
  const std::string path = state == WorkerState::spawned ? std::string() : settings_.health.path;
  if (context_.host.probe(asked_, *cell_, loopback(port_->number()), path, settings_.health.timeout)) return true;
  asked_ = 0;
  return false;
}

bool Worker::probed(std::uint64_t id, bool ok, WorkerState state, TimePoint now) {
  if (id == 0 || id != asked_) return false;
  asked_ = 0;
  if (state == WorkerState::spawned)
    connected(ok, now);
  else
    report({.kind = ok ? WorkerEvent::probe_ok : WorkerEvent::probe_failed});
  return true;
}

void Worker::connected(bool ok, TimePoint now) {
  const auto way = judge_->connected(ok && owns_its_port(), now);
  if (way) become_ready(*way, true);
}

bool Worker::owns_its_port() {
  if (!process_) return false;
  const Listener listener = find_listener(port_->number(), process_->members());
  if (!listener.complaint.empty()) detail_ = listener.complaint;  // nothing to complain of is no reason to forget
  return listener.owner == Listener::Owner::worker;
}

void Worker::said_ready(ReadyWay way) {
  if (judge_->said(way)) become_ready(way, false);
}

void Worker::become_ready(ReadyWay way, bool by_probe) {
  ready_by_ = name(way);
  detail_.clear();
  asked_ = 0;  // a connect in flight says nothing about health
  report({.kind = WorkerEvent::said_ready, .by_probe = by_probe});
}

void Worker::spawn_failed(const SpawnError& error, const std::string& text) {
  detail_ = text;
  const bool cgroup = error.stage == SpawnError::Stage::cgroup;
  if (cgroup) {
    context_.cgroups.give_up();
    log(LogLevel::warn, id_ + ": " + text + "; workers are held together by their sessions from now on");
  }
  report({.kind = WorkerEvent::exec_failed, .status = cgroup ? EAGAIN : error.error});
}

// A server without SO_REUSEADDR cannot listen on a port that we hold; the next try lets go of it, the one after holds
// it again, in case that was not the reason.
void Worker::exited(int status) {
  if (ready_by_.empty()) reserve_port_ = !reserve_port_;
  report({.kind = WorkerEvent::exited, .status = status});
}

void Worker::wrote(const std::string& line) { log(LogLevel::info, id_ + ": " + line); }

void Worker::report(const Event& event) {
  events_.push_back(event);
  wake_();
}

void Worker::end_process() {
  if (process_) context_.host.group_gone(process_->pid());
  process_.reset();
  port_.reset();
  if (cell_) context_.host.give_cell(*cell_);
  cell_.reset();
}

WorkerView Worker::view(TimePoint now) const {
  WorkerView view;
  view.id = id_;
  if (!process_) return view;
  view.pid = process_->pid();
  view.address = loopback(port_->number());
  view.ready_by = ready_by_;
  view.rss_bytes = resident_bytes(view.pid);
  view.uptime_s = std::chrono::duration<double>(now - started_).count();
  view.generation = generation_;
  view.cell = *cell_;
  return view;
}

}  // namespace gray::supervisor
