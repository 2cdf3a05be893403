#include "grayd/master.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <csignal>
#include <cstdio>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "control/commands/audit_entries.hpp"
#include "control/commands/reload.hpp"
#include "control/commands/verb_event.hpp"
#include "control/report/metrics.hpp"
#include "control/report/warnings.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/serving.hpp"
#include "control/version.hpp"
#include "grayd/handoff/allowlists.hpp"
#include "grayd/process/inherited_signals.hpp"
#include "grayd/process/privileges.hpp"
#include "supervisor/kernel/process_table.hpp"

namespace gray::master {
namespace {

constexpr Duration kEventsLimit{1'000};  // for writing events to disk before a handover; the rest is handed over
constexpr int kLastTurns = 10'000;       // of the loop before a handover

using supervisor::Host;
using supervisor::Supervisor;
template <class Origin>
Supervisor supervisor_of(asio::io_context& io, Host& host, const std::string& name, const std::string& state_dir) {
  if constexpr (std::is_same_v<Origin, Restored>)
    return {io, host, kRestored};
  else
    return {io, host, name, state_dir};
}

}  // namespace

template <class Origin>
Master::Master(Settings settings, ConfigFile file, Origin origin, int)
    : settings_(std::move(settings)),
      holdings_(settings_, std::move(origin)),
      live_(holdings_.state(settings_)),
      rows_(holdings_.segment),
      cells_(holdings_.segment),
      guard_(io_),
      routers_(io_, holdings_.segment, holdings_.router_command(), settings_.router, settings_.memory_budget, *this,
               history_),
      supervisor_(supervisor_of<Origin>(io_, *this, holdings_.instance, settings_.state_dir)),
      history_(io_, settings_, supervisor_),
      certificates_(io_, settings_, history_, [this](const TlsSecrets& secrets) { routers_.secure(secrets); }),
      publisher_(settings_, live_, rows_, routers_, control::random_issue_seed()),
      publication_({io_, settings_, supervisor_, rows_, publisher_, *this}),
      upgrades_({io_, settings_, phase_, routers_, history_, *this}),
      minutes_({io_, settings_, holdings_.segment, rows_}),
      memory_({io_, holdings_.segment, rows_, supervisor_}),
      commands_({io_,       settings_,      phase_,   live_,         rows_,
                 holdings_, supervisor_,    routers_, publication_,  upgrades_,
                 reloader_, manager_,       history_, certificates_, untrusted_proxy_,
                 verbs_,    release_clock_, minutes_, memory_,       rollouts_}),
      rollouts_(commands_, settings_, live_),
      verbs_(commands_, settings_, live_, rollouts_),
      release_clock_(io_, verbs_.releases(), [this] { upgrades_.changed(); }),
      rollout_clock_({io_, rollouts_, supervisor_, holdings_.segment, rows_, memory_}),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      manager_(io_),
      reloader_(commands_, settings_, live_, std::move(file)),
      access_log_({io_, settings_, holdings_, routers_, history_}),
      own_files_(
          io_, [this] { return own_files(); }, history_),
      endpoints_(settings_, holdings_, *this, [this] { asio::post(io_, [this] { endpoint_ended(); }); }),
      warnings_(history_) {
  signals_.add(SIGUSR1);
  file_limit_ = raise_file_limit();
  ::signal(SIGPIPE, SIG_IGN);
}

Master::Master(Settings settings, ConfigFile file, ActivatedSockets given)
    : Master(std::move(settings), std::move(file), std::move(given), 0) {}

Master::Master(Settings settings, ConfigFile file, Restored)
    : Master(std::move(settings), std::move(file), kRestored, 0) {}

Master::Master(Settings settings, ActivatedSockets given)
    : Master(settings, ConfigFile(settings.file), std::move(given)) {}

/// The supervisor last: if reading fails before, no worker is touched.
template <class Io>
void Master::archive(Io& io) {
  io("history", history_);
  io("live", live_);
  if constexpr (Io::kLoads) settings_ = control::with_deployed(std::move(settings_), live_.published());
  archive_allowlists(io, settings_);
  io("holdings", holdings_);
  io("rows", rows_);
  io("cells", cells_);
  io("guard", guard_);
  io("routers", routers_);
  io("publisher", publisher_);
  io("upgrades", upgrades_);
  io("reloader", reloader_);
  io("manager", manager_);
  io("access_log", access_log_);
  io("commands", commands_);
  io("warnings", warnings_);
  io("untrusted_proxy", untrusted_proxy_);
  io("phase", phase_);
  io("file_limit", file_limit_);
  io("supervisor", supervisor_);
  io("memory", memory_);
  io("certificates", certificates_);
}
template void Master::archive(Save&);
template void Master::archive(Load&);

/// As grayd/resume reads it: the settings in force are parsed again from the file's text as it was read.
void Master::write(Save& to) {
  to("file", reloader_.file());
  to("master", *this);
}

void Master::close_endpoints() {
  history_.end();
  endpoints_.close();
}

std::vector<OwnFiles::File> Master::own_files() {
  if (phase_ != Phase::serving || upgrades_.binary_upgrade() != nullptr) return {};
  std::vector<OwnFiles::File> files{{"the admin socket", holdings_.admin_path, [this] {
                                       holdings_.restore_admin();
                                       reopen_endpoints();
                                     }}};
  for (Listeners* listeners : {&holdings_.listeners, &holdings_.secured, &holdings_.proxied})
    for (const std::string& path : listeners->paths())
      files.push_back({"a listener", path, [this, listeners, path] {
                         listeners->restore(path);
                         upgrades_.upgrade_for_settings();
                       }});
  if (!settings_.access_log.empty())
    files.push_back({"the access log", settings_.access_log, [this] { access_log_.renew(); }});
  return files;
}

/// Callers that connect meanwhile wait in the backlog.
void Master::reopen_endpoints() {
  reopening_ = true;
  close_endpoints();
  endpoint_ended();
}

void Master::endpoint_ended() {
  upgrades_.changed();
  if (!reopening_ || !endpoints_.empty() || upgrades_.binary_upgrade() != nullptr) return;
  reopening_ = false;
  if (phase_ != Phase::serving) return;
  history_.resume();
  endpoints_.open();
}

void Master::leave() {
  leaving_ = true;
  io_.stop();
}

void Master::routers_changed() {
  supervisor_.sockets_closed();
  if (listens_soon()) listen_if_allowed(supervisor_.view());
}

void Master::published(const std::vector<VersionView>& views) {
  supervisor_.sockets_closed();
  certificates_.settings_changed();
  if (phase_ == Phase::serving) announce(views);
  warnings_.update(control::warnings(commands_.report()));
  listen_if_allowed(views);
  release_clock_.soon();
  rollout_clock_.wake();
}

void Master::client_fault(const ChannelMessage& report) { log(LogLevel::warn, report.detail); }

std::string Master::unsettled() const {
  if (changing_ > 0 || commands_.saving() || !rollouts_.settled()) return "an earlier change";
  return verbs_.releases().under_way();
}

/// A router reports the first one only.
void Master::met_untrusted_proxy(const ChannelMessage& report) {
  untrusted_proxy_ = report.detail;
  warnings_.update(control::warnings(commands_.report()));
}

/// An exception that reaches this loop means that an event was only partly handled, so the state may be inconsistent.
/// The first one stops grayd in order; a second one ends this process at once, and the guard kills the workers.
int Master::run() {
  asio::post(io_, [this] { start(); });
  return loop();
}

int Master::resume(std::string returned) {
  asio::post(io_, [this, returned = std::move(returned)] { continue_serving(returned); });
  return loop();
}

int Master::loop() {
  while (phase_ != Phase::stopped) {
    try {
      io_.run();
      if (!std::exchange(leaving_, false)) break;
      hand_over();
    } catch (const std::exception& error) {
      survive(error);
    }
    io_.restart();
  }
  endpoints_.remove();
  return exit_code_;
}

void Master::survive(const std::exception& error) {
  log(LogLevel::error, fmt::format("grayd stops after an internal error: {}", error.what()));
  if (std::exchange(exit_code_, 1) != 0) std::_Exit(1);
  stop();
}

void Master::start() {
  history_.resume();
  report(EventKind::grayd_started, {}, fmt::format("grayd {}, {}", control::kVersion, settings_.file));
  reloader_.started();
  await_signal();
  manager_.watch();
  access_log_.watch();
  for (const auto& service : settings_.services) {
    for (const auto& version : service.versions) rows_.take(service.name, version.name);
  }
  certificates_.watch();
  publication_.now();
  supervisor_.probing_possible(false);
  guard_.start(supervisor_.cgroup_path());
  routers_.start();
  memory_.start();
  for (const auto& service : settings_.services) {
    for (const auto& version : service.versions) {
      if (!control::is_stopped(live_.published(), service.name, version.name)) supervisor_.apply(service.name, version);
    }
  }
  endpoints_.open();
  own_files_.watch();
}

/// This image continues; no other one replaces it.
void Master::abandon_hand_over(const std::string& why) {
  if (upgrades_.binary_upgrade() == nullptr) return;
  upgrades_.replaced({ExitCode::failed, why + "; grayd continues as before"});
  history_.resume();
  endpoints_.open();
}

/// The first turn of a resumed image.
void Master::continue_serving(const std::string& returned) {
  await_signal();
  manager_.watch();
  manager_.reloaded(true);
  access_log_.watch();
  returned.empty() ? upgrades_.replaced({}) : upgrades_.returned(returned);
  history_.resume();
  certificates_.watch();
  publication_.now();
  endpoints_.open();
  own_files_.watch();
  if (phase_ == Phase::serving) minutes_.start(Clock::now());
  if (phase_ <= Phase::serving) memory_.start();
  release_signals();
}

/// Called outside of every handler, so that no event is half handled. Pending events come first, above all SIGTERM.
void Master::hand_over() {
  const SignalsHeld held;
  io_.restart();
  for (int i = 0; i < kLastTurns && io_.poll_one() > 0;) ++i;
  if (upgrades_.binary_upgrade() == nullptr) return;
  manager_.reloading();
  history_.settle(kEventsLimit);
  const auto why = master::hand_over(*this, settings_.file, upgrades_.binary_upgrade()->binary());
  manager_.reloaded(true);
  abandon_hand_over(why);
}

void Master::await_signal() {
  signals_.async_wait([this](std::error_code error, int signal) {
    if (error) return;
    await_signal();
    on_signal(signal);
  });
}

void Master::on_signal(int signal) {
  switch (signal) {
    case SIGUSR1: return access_log_.reopen();
    case SIGHUP: {
      upgrades_.reload_asked_by("signal SIGHUP");
      return reloader_.reload({}, [this](const control::Reply& reply) {
        reply.code == ExitCode::ok ? log(LogLevel::info, "reloaded " + settings_.file)
                                   : log(LogLevel::error, "not reloaded: " + reply.error);
        for (const std::string& warning : control::warning_lines(reply)) log(LogLevel::warn, warning);
        commands_.record(control::audit_of_reload("signal SIGHUP", reply));
      });
    }
    default: return stop();
  }
}

/// The first request drains; a second one stops at once.
void Master::stop() {
  const bool again = phase_ == Phase::stopping;
  abandon_hand_over("a stop was requested meanwhile");
  reloader_.abandon("grayd is stopping");
  const auto timeout = again || exit_code_ != 0 ? Duration{0} : control::longest_drain(settings_);
  const auto text = again ? "stopping now" : fmt::format("stopping; requests in flight have {} ms", timeout.count());
  log(LogLevel::info, text);
  manager_.stopping(text);
  if (!again) report(EventKind::grayd_stopping, exit_code_ != 0 ? "error" : "asked", text);
  phase_ = Phase::stopping;
  minutes_.stop();
  memory_.stop();
  if (workers_stopping_) return;
  routers_.drain(timeout, [this] { stop_workers(); });
}

void Master::stop_workers() {
  if (std::exchange(workers_stopping_, true)) return;
  supervisor_.stop_all([this] {
    phase_ = Phase::stopped;
    log(LogLevel::info, "stopped");
    history_.end();
    io_.stop();
  });
}

/// Clients are accepted only when the routers have workers to forward to; otherwise the first requests would get 503.
void Master::listen_if_allowed(const std::vector<VersionView>& views) {
  if (!listens_soon() || !control::may_listen(settings_, live_.published(), views)) return;
  holdings_.listen();
  routers_.listen();
  phase_ = Phase::serving;
  minutes_.start(Clock::now());
  fmt::print("{}\n", announce(views));
  std::fflush(stdout);
}

/// Ready means that some service can answer; the status says which cannot.
std::string Master::announce(const std::vector<VersionView>& views) {
  const auto now = control::readiness(settings_, live_.published(), views);
  auto text = "serving " + holdings_.text() + (now.problems.empty() ? "" : "; " + now.problems);
  now.any ? manager_.ready(text) : manager_.not_ready(text);
  return text;
}

void Master::report(EventKind kind, std::string cause, std::string text) {
  emit({.kind = kind, .pid = ::getpid(), .cause = std::move(cause), .text = std::move(text)});
}

/// Workers get the limit of descriptors that grayd was started with.
void Master::group_started(pid_t pgid) {
  set_file_limit(pgid, file_limit_);
  guard_.add(pgid);
}

void Master::call(std::string verb, nlohmann::json args, std::function<void(control::Reply)> done) {
  asio::post(io_, [this, verb = std::move(verb), args = std::move(args), done = std::move(done)] {
    const auto known = control::daemon_verb(verb);
    if (!known) return done({ExitCode::usage, {}, control::unknown_verb(verb)});
    if (History::knows(*known)) return history_.call(*known, args, done);
    const bool changes = control::Verbs::changes(*known);
    changing_ += changes;
    verbs_.call(*known, args, [this, verb = *known, args, done, changes](control::Reply reply) {
      changing_ -= changes;
      if (auto event = control::verb_event(verb, args, reply)) emit(std::move(*event));
      if (auto entry = control::audit_of(verb, args, reply)) commands_.record(std::move(*entry));
      done(std::move(reply));
      upgrades_.changed();
    });
  });
}

int run_master(Settings settings, ConfigFile file) {
  keep_master_capabilities();
  return Master(std::move(settings), std::move(file), ActivatedSockets::from_environment()).run();
}

}  // namespace gray::master
