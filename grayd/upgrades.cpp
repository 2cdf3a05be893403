#include "grayd/upgrades.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <asio/post.hpp>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "control/commands/verb_event.hpp"
#include "control/traffic/serving.hpp"
#include "control/version.hpp"
#include "grayd/process/own_program.hpp"

namespace gray::master {
namespace {

using control::refusal;
using control::Reply;
using control::UpgradeState;
using control::UpgradeView;
using nlohmann::json;

}  // namespace

bool Upgrades::may_run_programs(const json& args) {
  const auto peer = args.find("peer");
  if (peer == args.end()) return true;
  const auto uid = peer->find("uid");  // a caller from the page has none
  return uid != peer->end() && uid->is_number_integer() && (*uid == 0 || *uid == ::geteuid());
}

Upgrades::Upgrades(Dependencies dependencies) : to_(dependencies), program_(own_program()), retry_(dependencies.io) {}

std::optional<Duration> Upgrades::timeout_in(const json& args) {
  const auto found = args.find("upgrade_timeout_ms");
  if (found == args.end()) return kTimeout;
  if (!found->is_number_integer() || *found < 1 || *found > kMaxTimeout.count()) return std::nullopt;
  return Duration(found->get<Duration::rep>());
}

Reply Upgrades::begin(const json& args) {
  const auto of = args.find("of");
  const auto timeout = timeout_in(args);
  const bool known = of != args.end() && (*of == "router" || *of == "grayd");
  if (!known || !timeout) {
    return refusal(
        ExitCode::usage,
        fmt::format("upgrade needs \"of\" (\"router\" or \"grayd\") and accepts upgrade_timeout_ms (1 to {})",
                    kMaxTimeout.count()));
  }
  if (const auto busy = under_way(); !busy.empty()) {
    return refusal(ExitCode::conflict, fmt::format("{}; wait for its end, see grayctl status", busy));
  }
  if (to_.phase == control::Phase::starting)
    return refusal(ExitCode::conflict, "grayd is starting; wait until it serves");
  by_ = control::caller_of(args);
  if (*of == "grayd") return replace(args, *timeout);
  if (!to_.routers.any_ready()) {
    return refusal(ExitCode::conflict, "no router serves now; a new one starts automatically; see grayctl status");
  }
  auto reply = begun("router");
  upgrade(*timeout, [this](const RouterUpgradeEnd& end) { finish(end); });
  return reply;
}

Reply Upgrades::begun(const char* of) {
  const unsigned number = known_.empty() ? 1 : known_.back().number + 1;
  known_.push_back({number, of, UpgradeState::running, {}, ExitCode::ok, 0});
  if (known_.size() > kKept) known_.pop_front();
  return {ExitCode::ok, {{"schema_version", 1}, {"upgrade", {{"number", number}, {"of", of}}}}, {}};
}

void Upgrades::returned(const std::string& why) {
  const auto text = fmt::format("loading the state with {}: {}; grayd continues as before", next_program_, why);
  replaced({ExitCode::failed, text});
}

Reply Upgrades::replace(const json& args, Duration timeout) {
  const auto named = args.find("binary");
  const bool chosen = named != args.end();
  if (chosen && (!named->is_string() || !named->get_ref<const std::string&>().starts_with('/'))) {
    return refusal(ExitCode::usage, "binary must be an absolute path, such as /usr/bin/grayd");
  }
  if (chosen && !may_run_programs(args)) {
    return refusal(ExitCode::denied,
                   "only root and the user of grayd may name the new program; without "
                   "--binary, the binary on disk is used");
  }
  next_program_ = chosen ? named->get<std::string>() : program_;
  auto reply = begun("grayd");
  const auto failed = [this](CheckEnd end) {
    asio::post(to_.io, lifetime_.guard([this, end = std::move(end)] { replaced(end); }));
  };
  binary_upgrade_.emplace(to_.io, to_.grayd, failed, next_program_, to_.settings.file, timeout);
  return reply;
}

void Upgrades::replaced(CheckEnd end) {
  binary_upgrade_.reset();
  const bool good = end.code == ExitCode::ok;
  if (good) program_ = next_program_;
  const auto serves = fmt::format("grayd {} ({}) serves with the same pid {}", control::kVersion, program_, ::getpid());
  const auto text = good ? serves : end.text;
  if (!good) log(LogLevel::error, text);
  finish({end.code, good ? ::getpid() : 0, text});
}

bool Upgrades::upgrade(Duration timeout, std::function<void(const RouterUpgradeEnd&)> done) {
  return to_.routers.upgrade(to_.settings.router, control::longest_drain(to_.settings), timeout,
                             [this, done = std::move(done)](const RouterUpgradeEnd& end) {
                               if (done) done(end);
                               upgrade_ended(end);
                             });
}

/// The record of the replacement has the outcome of the whole reload.
unsigned Upgrades::renew_for_reload(const Settings& fresh, Duration timeout, std::function<Reply(const Reply&)> then) {
  begun("reload");
  to_.routers.upgrade(fresh.router, control::longest_drain(to_.settings), timeout,
                      [this, then = std::move(then)](const RouterUpgradeEnd& end) {
                        const bool serves = end.code == ExitCode::ok;
                        const auto reply = then(serves ? Reply{} : refusal(end.code, end.text));
                        const bool good = reply.code == ExitCode::ok;
                        record({reply.code, end.pid, good ? "configuration reloaded; " + end.text : reply.error});
                        if (serves && !good) return upgrade_for_settings();
                        upgrade_ended(end);
                      });
  return known_.back().number;
}

void Upgrades::upgrade_for_settings() {
  settings_pending_ = true;
  upgrade(kMaxTimeout, nullptr);
}

/// A new router has the newest settings, whatever started the upgrade.
void Upgrades::upgrade_ended(const RouterUpgradeEnd& end) {
  if (end.code == ExitCode::ok) settings_pending_ = false;
  if (!settings_pending_) return;
  log(LogLevel::error, fmt::format("no router has the settings in force yet: {}; trying again", end.text));
  retry_settings();
}

void Upgrades::retry_settings() {
  retry_.expires_after(kRetry);
  retry_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (error || !settings_pending_) return;
    if (binary_upgrade_) return retry_settings();
    upgrade_for_settings();
  }));
}

void Upgrades::record(const RouterUpgradeEnd& end) {
  auto& last = known_.back();
  last.state = end.code == ExitCode::ok ? UpgradeState::done : UpgradeState::failed;
  last.text = end.text;
  last.code = end.code;
  last.pid = end.pid;
}

void Upgrades::finish(const RouterUpgradeEnd& end) {
  record(end);
  const bool good = end.code == ExitCode::ok;
  EventRecord event;
  event.kind = good ? EventKind::upgraded : EventKind::upgrade_failed;
  event.pid = end.pid;
  event.cause = known_.back().of;
  event.text = end.text;
  to_.events.emit(std::move(event));
}

std::string Upgrades::under_way() const {
  if (binary_upgrade_) {
    return fmt::format("upgrade {} of grayd is under way ({}), requested by {}", known_.back().number,
                       binary_upgrade_->text(), by_);
  }
  const auto* router_upgrade = to_.routers.router_upgrade();
  if (router_upgrade == nullptr) return {};
  const bool recorded = !known_.empty() && known_.back().state == UpgradeState::running;
  const auto what = !recorded                      ? std::string("a new router for the settings in force")
                    : known_.back().of == "reload" ? std::string("a reload with a new router")
                                                   : fmt::format("upgrade {} of the router", known_.back().number);
  return fmt::format("{} is under way ({}){}", what, router_upgrade->text(),
                     recorded ? ", requested by " + by_ : std::string());
}

std::string Upgrades::locks() const {
  return binary_upgrade_ ? under_way() + "; wait for its end, see grayctl status" : std::string();
}

std::vector<UpgradeView> Upgrades::views() const {
  std::vector<UpgradeView> views(known_.begin(), known_.end());
  const auto* router_upgrade = to_.routers.router_upgrade();
  const bool runs = !views.empty() && views.back().state == UpgradeState::running;
  if (runs && router_upgrade != nullptr) views.back().text = router_upgrade->text();
  if (runs && binary_upgrade_) views.back().text = binary_upgrade_->text();
  return views;
}

template <class Io>
void Upgrades::archive(Io& io) {
  io("known", known_);
  io("settings_pending", settings_pending_);
  io("program", program_);
  io("next_program", next_program_);
  if constexpr (Io::kLoads) {
    if (settings_pending_) retry_settings();
  }
}
template void Upgrades::archive(Save&);
template void Upgrades::archive(Load&);

}  // namespace gray::master
