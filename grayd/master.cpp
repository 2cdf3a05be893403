#include "grayd/master.hpp"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <random>
#include <stdexcept>

#include "config/log.hpp"
#include "config/settings_toml.hpp"
#include "control/admin_socket.hpp"
#include "control/version.hpp"
#include "grayd/instance.hpp"
#include "grayd/metrics.hpp"
#include "grayd/preflight.hpp"
#include "grayd/reload.hpp"
#include "grayd/serving.hpp"
#include "grayd/verb_event.hpp"
#include "grayd/weights.hpp"

namespace gray::master {
namespace {

constexpr Duration kApplyLimit{8'000};  // below the admin API's own 10 s, so that the answer names who lags
constexpr Duration kSettleLimit{50};   // what a status may wait for the routers: it must be quick whatever they do

control::State load_state(control::StateStore& store) {
  std::string warning;
  auto state = store.load(warning);
  if (!warning.empty()) log(LogLevel::warn, warning);
  return state;
}

RouterCommand router_command(const segment::Segment& segment, const Listeners& listeners, const Listeners& proxied,
                             const UniqueFd& access_log) {
  RouterCommand command{.segment = segment.fd(), .access_log = access_log.get(), .listeners = listeners.fds(),
                        .proxied = proxied.fds().size()};
  for (const int fd : proxied.fds()) command.listeners.push_back(fd);
  return command;
}

std::uint64_t random_seed() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32 | random();
}

std::vector<Address> metrics_address(const Settings& settings) {
  const auto address = Address::parse(settings.metrics);
  return address ? std::vector{*address} : std::vector<Address>{};
}

const char* name_of(bool serving, bool stopping) { return stopping ? "stopping" : serving ? "serving" : "starting"; }

}  // namespace

Master::Master(Settings settings, ActivatedSockets given)
    : settings_(std::move(settings)),
      store_(settings_.state_dir),
      events_(settings_.state_dir),
      config_file_(settings_.file),
      live_(load_state(store_)),
      instance_(swept_instance(settings_.state_dir)),
      segment_(segment::Segment::create()),
      rows_(segment_),
      cells_(segment_),
      listeners_(settings_.listen, "http", &given),
      proxied_listeners_(settings_.proxy_protocol, "proxy_protocol", &given),
      metrics_listener_(metrics_address(settings_), "metrics", &given),
      access_log_(open_access_log(settings_.access_log)),
      admin_socket_(control::open_admin_socket(settings_.admin)),
      routers_(io_, segment_, router_command(segment_, listeners_, proxied_listeners_, access_log_),
               settings_.router, settings_.memory_budget,
               {[this] { listen_if_allowed(); },
                [this](std::uint64_t id, bool ok, const std::string& detail) { supervisor_.probed(id, ok, detail); },
                [this](bool possible) { supervisor_.probing_possible(possible); },
                [this](EventRecord event) { happened(std::move(event)); }}),
      supervisor_(io_, *this, instance_),
      publisher_(settings_, live_, rows_, routers_, random_seed()),
      upgrades_({io_, settings_, routers_, [this](EventRecord event) { happened(std::move(event)); }}),
      verbs_(verb_parts()),
      journal_(io_, settings_, events_, [this] { return supervisor_.outputs(); }),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      manager_(io_),
      log_glance_(io_) {
  given.warn_of_left();
  signals_.add(SIGUSR1);
  metrics_listener_.listen();
  file_limit_ = raise_file_limit();
  ::signal(SIGPIPE, SIG_IGN);
}

Master::~Master() { ::unlink(settings_.admin.c_str()); }

Verbs::Parts Master::verb_parts() {
  return {io_,
          settings_,
          live_,
          store_,
          [this](std::function<void(std::string)> applied) {
            publish_now();
            routers_.when_applied(publisher_.number(), kApplyLimit, std::move(applied));
          },
          [this](std::function<void(std::string)> settled) {
            if (publish_pending_) publish_now();
            routers_.when_applied(publisher_.number(), kSettleLimit, std::move(settled));
          },
          [this] { return reload(); },
          [this](const std::function<void(const ReportSource&)>& reader) { report(reader); },
          [this] { return phase_ >= Phase::stopping; },
          [this](const Ordered& ordered) { return carry_out(ordered); },
          [this](const nlohmann::json& args) { return upgrades_.begin(args); }};
}

/// An exception that reaches this loop means that some event was handled by half. Nothing can be promised any more, but
/// the workers can still be ended in order; a second one leaves that to the routers, which see the end of this process.
int Master::run() {
  asio::post(io_, [this] { start(); });
  while (phase_ != Phase::stopped) {
    try {
      io_.run();
      break;
    } catch (const std::exception& error) {
      survive(error);
    }
  }
  admin_.reset();
  metrics_.reset();
  return exit_code_;
}

void Master::survive(const std::exception& error) {
  log(LogLevel::error, fmt::format("grayd ends: {}", error.what()));
  if (std::exchange(exit_code_, 1) != 0) std::_Exit(1);
  stop();
}

void Master::start() {
  tell(EventKind::grayd_started, {}, fmt::format("grayd {}, {}", control::kVersion, settings_.file));
  reloads_.last_good_at = wall_now();
  await_signal();
  manager_.watch();
  watch_access_log();
  for (const auto& service : settings_.services) {
    for (const auto& version : service.versions) rows_.take(service.name, version.name);
  }
  publish_now();
  supervisor_.probing_possible(false);
  routers_.start(supervisor_.cgroup_path());
  for (const auto& service : settings_.services) {
    for (const auto& version : service.versions) {
      if (!is_stopped(live_.published(), service.name, version.name)) supervisor_.apply(service.name, version);
    }
  }
  admin_.emplace(admin_socket_.get(), static_cast<control::Daemon&>(*this));
  for (const int socket : metrics_listener_.fds()) metrics_.emplace(socket, static_cast<control::Daemon&>(*this));
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
    case SIGUSR1: return reopen_access_log();
    case SIGHUP: {
      const auto reply = reload();
      return reply.code == ExitCode::ok ? log(LogLevel::info, "reloaded " + settings_.file)
                                        : log(LogLevel::error, "not reloaded: " + reply.error);
    }
    default: return stop();
  }
}

/// The first time gently; whoever asks twice is in a hurry.
void Master::stop() {
  const bool again = phase_ == Phase::stopping;
  const auto timeout = again || exit_code_ != 0 ? Duration{0} : longest_drain(settings_);
  const auto text = again ? "stopping now" : fmt::format("stopping; requests in flight have {} ms", timeout.count());
  log(LogLevel::info, text);
  manager_.stopping(text);
  if (!again) tell(EventKind::grayd_stopping, exit_code_ != 0 ? "error" : "asked", text);
  phase_ = Phase::stopping;
  if (workers_stopping_) return;
  routers_.drain(timeout, [this] { stop_workers(); });
}

void Master::stop_workers() {
  if (std::exchange(workers_stopping_, true)) return;
  supervisor_.stop_all([this] {
    phase_ = Phase::stopped;
    log(LogLevel::info, "stopped");
    journal_.end();
    io_.stop();
  });
}

/// One table for all changes of a turn of the loop.
void Master::publish_soon() {
  if (std::exchange(publish_pending_, true)) return;
  asio::post(io_, [this] {
    if (publish_pending_) publish_now();
  });
}

void Master::publish_now() {
  publish_pending_ = false;
  publisher_.publish(supervisor_.view());
  release_rows();
  listen_if_allowed();
}

/// A version that was removed keeps its row until its last worker is gone.
void Master::release_rows() {
  const auto views = supervisor_.view();
  rows_.keep([&](const std::string& service, const std::string& version) {
    const auto* configured = settings_.service(service);
    return (configured != nullptr && configured->version(version) != nullptr) ||
           view_of(views, service, version) != nullptr;
  });
}

/// Clients come only when the routers know whom to ask, else the first of them would meet a 503.
void Master::listen_if_allowed() {
  if (phase_ != Phase::starting || publish_pending_ || !routers_.any_ready() || !publisher_.settled()) return;
  if (!may_listen(settings_, live_.published(), supervisor_.view())) return;
  listeners_.listen();
  proxied_listeners_.listen();
  routers_.listen();
  phase_ = Phase::serving;
  const auto proxied = settings_.proxy_protocol.empty() ? "" : "; with PROXY headers " + proxied_listeners_.text();
  manager_.ready("serving " + listeners_.text() + proxied);
  fmt::print("serving {}{}\n", listeners_.text(), proxied);
  std::fflush(stdout);
}

void Master::reopen_access_log() try {
  auto fresh = open_access_log(settings_.access_log);
  if (!fresh) return;
  routers_.reopen(fresh.get());
  access_log_ = std::move(fresh);
  tell(EventKind::access_log_reopened, {}, settings_.access_log);
} catch (const std::runtime_error& error) {
  const auto text = fmt::format("the old access log stays open: {}", error.what());
  log(LogLevel::error, text);
  tell(EventKind::access_log_failed, "reopen", text);
}

void Master::watch_access_log() {
  if (auto event = log_watch_.look(log_lines_lost(*segment_), settings_.access_log, Clock::now())) {
    log(LogLevel::warn, event->text);
    happened(std::move(*event));
  }
  log_glance_.expires_after(AccessLogWatch::kGlance);
  log_glance_.async_wait([this](std::error_code error) {
    if (!error) watch_access_log();
  });
}

void Master::tell(EventKind kind, std::string cause, std::string text) {
  EventRecord event;
  event.kind = kind;
  event.pid = ::getpid();
  event.cause = std::move(cause);
  event.text = std::move(text);
  happened(std::move(event));
}

control::Reply Master::reload() {
  manager_.reloading();
  auto reply = read_again();
  manager_.reloaded(reply.code == ExitCode::ok);
  reloads_.last_good = reply.code == ExitCode::ok;
  ++(reloads_.last_good ? reloads_.accepted : reloads_.refused);
  if (reloads_.last_good) reloads_.last_good_at = wall_now();
  happened(reload_event(reply, settings_.file));
  return reply;
}

/// Everything that can be refused is refused before anything is touched.
control::Reply Master::read_again() {
  const auto refused = [](ExitCode code, std::string why) { return control::Reply{code, {}, std::move(why)}; };
  if (phase_ >= Phase::stopping) return refused(ExitCode::conflict, "grayd is stopping; nothing can be changed");
  ConfigFile file(settings_.file);  // looked at before it is read, so that a change meanwhile is not missed
  auto loaded = load_settings(settings_.file);
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) return refused(ExitCode::bad_config, errors->text);
  auto& fresh = std::get<Settings>(loaded);
  if (const auto faults = preflight_here(fresh); !faults.empty()) {
    return refused(ExitCode::bad_config, rendered(faults, fresh.file));
  }
  const auto verdict = diff(settings_, fresh, live_services(settings_, live_.wanted(), supervisor_.view()));
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return refused(refusal->code, refusal->message);
  const auto& changes = std::get<Changes>(verdict);
  if (const auto busy = upgrades_.under_way(); !busy.empty() && renews_routers(changes)) {
    return refused(ExitCode::conflict, busy + "; reload when it has ended");
  }
  config_file_ = std::move(file);
  apply(changes, std::move(fresh));
  control::Reply reply{ExitCode::ok, {{"schema_version", 1}, {"changes", nlohmann::json::array()}}, {}};
  for (const auto& change : changes) {
    const bool stopped = is_stopped(live_.published(), change.service, change.version);
    reply.body["changes"].push_back(text_of(change, stopped));
  }
  return reply;
}

void Master::apply(const Changes& changes, Settings fresh) {
  live_.replace(state_after(live_.published(), settings_, fresh));
  store_.save(live_.wanted(), [](const std::string& error) {
    if (!error.empty()) log(LogLevel::error, "the reload is in force, but " + error);
  });
  settings_ = std::move(fresh);
  for (const auto& change : changes) {
    using Kind = Change::Kind;
    switch (change.kind) {
      case Kind::router:
        upgrades_.renew_settings();
        break;
      case Kind::add_version: rows_.take(change.service, change.version); [[fallthrough]];
      case Kind::restart_version:
      case Kind::update_version:
      case Kind::resize_version:
        if (is_stopped(live_.published(), change.service, change.version)) break;
        supervisor_.apply(change.service, *settings_.service(change.service)->version(change.version));
        break;
      case Kind::remove_version: supervisor_.remove(change.service, change.version); break;
      case Kind::add_service:
      case Kind::reroute_service:
      case Kind::remove_service: break;  // the new table says it
    }
  }
  publish_now();
}

unsigned Master::carry_out(const Ordered& ordered) {
  const auto& [order, service, version, yes] = ordered;
  switch (order) {
    case Order::start: supervisor_.apply(service, *settings_.service(service)->version(version)); break;
    case Order::stop: supervisor_.stop(service, version); break;
    case Order::drain: supervisor_.drain(service, version); break;
    case Order::restart: return supervisor_.restart(service, version);
  }
  return 0;
}

void Master::report(const std::function<void(const ReportSource&)>& reader) {
  if (publish_pending_) publish_now();  // states and the table's number belong together
  const auto views = supervisor_.view();
  const std::chrono::duration<double> up = Clock::now() - started_;
  reader({settings_, live_.published(), views, rows_, *segment_, routers_.view(), publisher_.number(),
          name_of(phase_ == Phase::serving, phase_ >= Phase::stopping), up.count(), ::getpid(), reloads_,
          events_.dropped(), config_file_.changed(settings_), upgrades_.views()});
}

bool Master::probe(std::uint64_t id, std::uint32_t cell, const Address& address, const std::string& path,
                   Duration timeout) {
  return routers_.probe(id, cell, address, path, timeout);
}

/// The worker's own limit of descriptors is what grayd was started with: select(2) and arrays sized by the limit break
/// at large ones.
void Master::group_started(pid_t pgid) {
  rlimit limit{};
  if (::prlimit(pgid, RLIMIT_NOFILE, nullptr, &limit) == 0) {
    limit.rlim_cur = std::min(file_limit_, limit.rlim_max);
    ::prlimit(pgid, RLIMIT_NOFILE, &limit, nullptr);
  }
  if (!segment_.add_group(pgid)) log(LogLevel::warn, "too many process groups; not all would end with grayd");
}

bool Master::carries_traffic(const std::string& service, const std::string& version) const {
  const auto* found = settings_.service(service);
  if (found == nullptr) return false;
  const auto shares = shares_of(*found, live_.published());
  return version == shares.stable || version == shares.canary;
}

void Master::call(std::string verb, nlohmann::json args, std::function<void(control::Reply)> done) {
  asio::post(io_, [this, verb = std::move(verb), args = std::move(args), done = std::move(done)] {
    if (Journal::knows(verb)) return journal_.call(verb, args, done);
    verbs_.call(verb, args, [this, verb, args, done](control::Reply reply) {
      if (auto event = verb_event(verb, args, reply)) happened(std::move(*event));
      done(std::move(reply));
    });
  });
}

int run_master(Settings settings) {
  return Master(std::move(settings), ActivatedSockets::from_environment()).run();
}

}  // namespace gray::master
