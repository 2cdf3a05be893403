#include "grayd/command_host.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <utility>

#include "config/base/log.hpp"
#include "config/settings/allowlist_tables.hpp"
#include "control/commands/reload.hpp"
#include "control/commands/verb_event.hpp"
#include "control/traffic/deployed.hpp"
#include "control/traffic/weights.hpp"
#include "grayd/preflight.hpp"
#include "supervisor/kernel/process_table.hpp"

namespace gray::master {
namespace {

constexpr Duration kApplyLimit{8'000};  // below the admin API's own 10 s, so that the answer names the routers that lag
constexpr Duration kSettleLimit{50};    // the time that a status waits for the routers: it must be fast in any case

}  // namespace

/// `then` runs on the main thread. The thread of the store only posts it: it may outlive this object.
void CommandHost::save(control::Author by, Saved then) {
  ++saving_;
  to_.holdings.saver.save(control::with_roles(to_.live.wanted(), to_.settings), std::move(by),
                          [this, &io = to_.io, then = std::move(then)](const control::SaveEnd& end) {
                            asio::post(io, [this, then, end] {
                              --saving_;
                              then(end);
                              to_.upgrades.changed();
                            });
                          });
}

void CommandHost::publish(Applied then) {
  to_.publication.now();
  to_.routers.when_applied(to_.publication.newest().number, kApplyLimit, std::move(then));
}

void CommandHost::settle(Applied then) {
  to_.publication.flush();
  to_.routers.when_applied(to_.publication.newest().number, kSettleLimit, std::move(then));
}

void CommandHost::reload(const nlohmann::json& args, std::function<void(control::Reply)> done) {
  const auto timeout = Upgrades::timeout_in(args);
  const auto wait = args.find("wait");
  if (!timeout || (wait != args.end() && !wait->is_boolean())) {
    return done(control::refusal(ExitCode::usage,
                                 fmt::format("reload accepts wait (true or false) and upgrade_timeout_ms (1 to {})",
                                             Upgrades::kMaxTimeout.count())));
  }
  to_.upgrades.reload_asked_by(control::caller_of(args));
  to_.reloader.reload({wait == args.end() || wait->get<bool>(), *timeout}, std::move(done));
}

unsigned CommandHost::carry_out(const control::VersionCommand& command) {
  using control::Action;
  const auto& [action, service, version, yes] = command;
  switch (action) {
    case Action::start: to_.supervisor.apply(service, *to_.settings.service(service)->version(version)); break;
    case Action::stop: to_.supervisor.stop(service, version); break;
    case Action::drain: to_.supervisor.drain(service, version); break;
    case Action::restart: return to_.supervisor.restart(service, version);
  }
  return 0;
}

std::string CommandHost::objection_to_start(const std::string& service, const VersionSettings& version) const {
  return objection_here(service, version);
}

void CommandHost::deployed_changed() {
  to_.settings = control::with_deployed(std::move(to_.settings), to_.live.published());
  for (const auto& service : to_.settings.services)
    for (const auto& version : service.versions) to_.rows.take(service.name, version.name);
  to_.publication.soon();
}

void CommandHost::record(control::AuditEntry entry) {
  if (const auto* service = to_.settings.service(entry.service); service != nullptr && !entry.before)
    entry.before = entry.after = control::split_of(*service, to_.live.published());
  if (entry.time == WallTime{}) entry.time = wall_now();
  if (!entry.service.empty()) last_changes_[entry.service] = entry;
  to_.history.record(std::move(entry));
}

const control::AuditEntry* CommandHost::last_change(const std::string& service) const {
  const auto found = last_changes_.find(service);
  return found == last_changes_.end() ? nullptr : &found->second;
}

void CommandHost::forget(const std::string& service, const std::string& version) {
  to_.supervisor.remove(service, version);
}

/// The views and the table's number must belong together, so changes are published first.
control::ReportSource CommandHost::report() {
  to_.publication.flush();
  const auto now = Clock::now();
  auto minute = [this, now](auto& service, auto& version) { return to_.minutes.figures(service, version, now); };
  auto verdict = [this](auto& service, auto& version) { return to_.rollouts.verdict(service, version); };
  return {.settings = to_.settings,
          .state = to_.live.published(),
          .rows = to_.rows,
          .layout = *to_.holdings.segment,
          .views = to_.supervisor.view(),
          .now = now,
          .resident_bytes = [this](pid_t leader) { return to_.supervisor.resident_bytes(leader); },
          .running = [](pid_t pid) { return control::Running{supervisor::program_of(pid), supervisor::cwd_of(pid)}; },
          .routers = to_.routers.view(),
          .table = to_.publication.newest().number,
          .phase = to_.phase,
          .uptime_s = std::chrono::duration<double>(now - started_).count(),
          .pid = ::getpid(),
          .reloads = to_.reloader.reloads(),
          .events_dropped = to_.history.dropped(),
          .config_changed = to_.reloader.file_changed(),
          .upgrades = to_.upgrades.views(),
          .undos = to_.verbs.releases().undos(),
          .untrusted_proxy = to_.untrusted_proxy,
          .tls = to_.certificates.view(),
          .last_minute = minute,
          .verdict = verdict,
          .memory_bytes = [this](pid_t leader) { return to_.supervisor.memory_bytes(leader); },
          .memory_of = [this](auto& service, auto& version) { return to_.memory.of(service, version); }};
}

const RoutingTable& CommandHost::routing_table() {
  to_.publication.flush();
  return to_.publication.newest();
}

std::string CommandHost::not_now() const {
  return stopping() ? "grayd is stopping; nothing can be changed" : to_.upgrades.locks();
}

std::string CommandHost::preflight(const Settings& fresh) const {
  const auto faults = preflight_here(fresh);
  return faults.empty() ? std::string() : rendered(faults, fresh.file);
}

void CommandHost::apply(const Changes& changes, Settings fresh) {
  to_.live.replace(control::state_after(to_.live.published(), to_.settings, fresh));
  keep_equal_tables(fresh, to_.settings);
  to_.settings = std::move(fresh);
  save({"grayd", "reload"}, [](const control::SaveEnd& end) {
    if (end.code != ExitCode::ok) log(LogLevel::error, "the reload is in force, but " + end.error);
  });
  for (const auto& change : changes) apply(change);
  to_.publication.now();
}

void CommandHost::apply(const Change& change) {
  using Kind = Change::Kind;
  switch (change.kind) {
    case Kind::add_version: to_.rows.take(change.service, change.version); [[fallthrough]];
    case Kind::restart_version:
    case Kind::update_version:
    case Kind::resize_version:
      if (control::is_stopped(to_.live.published(), change.service, change.version)) return;
      return to_.supervisor.apply(change.service, *to_.settings.service(change.service)->version(change.version));
    case Kind::remove_version: return to_.supervisor.remove(change.service, change.version);
    case Kind::router:  // a router has the new settings already
    case Kind::certificates:
    case Kind::memory:
    case Kind::add_service:
    case Kind::reroute_service:
    case Kind::change_release:
    case Kind::remove_service: return;  // the new table says it
  }
}

}  // namespace gray::master
