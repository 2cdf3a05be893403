#pragma once
// Executes the decisions of verbs and reloads: on the disk, the routers, the workers and the settings in force. It
// implements the interfaces that control/ calls. Main thread.
#include <asio/io_context.hpp>
#include <map>

#include "config/settings/settings.hpp"
#include "control/commands/host.hpp"
#include "control/commands/reloader.hpp"
#include "control/commands/rollouts.hpp"
#include "control/commands/verbs.hpp"
#include "control/traffic/live_state.hpp"
#include "grayd/certificates/certificates.hpp"
#include "grayd/history.hpp"
#include "grayd/holdings.hpp"
#include "grayd/publication.hpp"
#include "grayd/releases/memory_sampler.hpp"
#include "grayd/releases/minute_sampler.hpp"
#include "grayd/releases/release_clock.hpp"
#include "grayd/routers/routers.hpp"
#include "grayd/service_manager.hpp"
#include "grayd/upgrades.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class CommandHost final : public control::Host, public control::ReloadHost {
 public:
  struct Dependencies {
    asio::io_context& io;  // outlives the store, whose thread posts to it
    Settings& settings;    // in force
    const control::Phase& phase;
    control::LiveState& live;
    control::Rows& rows;
    Holdings& holdings;
    supervisor::Supervisor& supervisor;
    Routers& routers;
    Publication& publication;
    Upgrades& upgrades;
    control::Reloader& reloader;
    ServiceManager& manager;
    History& history;
    const Certificates& certificates;
    const std::string& untrusted_proxy;
    control::Verbs& verbs;
    ReleaseClock& release_clock;
    const MinuteSampler& minutes;
    const MemorySampler& memory;
    const control::Rollouts& rollouts;
  };
  explicit CommandHost(Dependencies dependencies) : to_(dependencies) {}

  // control::Host
  void persist(control::Author by, Saved then) override { save(std::move(by), std::move(then)); }
  void publish(Applied then) override;
  void settle(Applied then) override;
  void reload(const nlohmann::json& args, std::function<void(control::Reply)> done) override;
  control::Reply upgrade(const nlohmann::json& args) override { return to_.upgrades.begin(args); }
  bool may_run_programs(const nlohmann::json& args) const override { return Upgrades::may_run_programs(args); }
  std::string objection_to_start(const std::string& service, const VersionSettings& version) const override;
  void deployed_changed() override;
  void forget(const std::string& service, const std::string& version) override;
  void upkeep_soon() override { to_.release_clock.soon(); }
  unsigned carry_out(const control::VersionCommand& command) override;
  control::ReportSource report() override;
  const RoutingTable& routing_table() override;
  void weigh(std::function<void(std::vector<RouterMemory>)> then) override { to_.routers.weigh(std::move(then)); }
  bool stopping() const override { return to_.phase >= control::Phase::stopping; }
  std::string locked() const override { return to_.upgrades.locks(); }

  // control::ReloadHost
  std::string not_now() const override;
  std::string routers_busy() const override { return to_.upgrades.under_way(); }
  std::string preflight(const Settings& fresh) const override;
  std::vector<VersionView> views() const override { return to_.supervisor.view(); }
  unsigned renew_routers(const Settings& fresh, Duration timeout,
                         std::function<control::Reply(const control::Reply&)> then) override {
    return to_.upgrades.renew_for_reload(fresh, timeout, std::move(then));
  }
  void apply(const Changes& changes, Settings fresh) override;
  void reload_begins() override { to_.manager.reloading(); }
  void reload_ends(bool good) override { to_.manager.reloaded(good); }
  void emit(EventRecord event) override { to_.history.emit(std::move(event)); }
  void record(control::AuditEntry entry) override;
  const control::AuditEntry* last_change(const std::string& service) const override;

  /// Whether a save of the state is still running.
  bool saving() const { return saving_ > 0; }

  /// Hands over the time when the first image of grayd started, from which the uptime is counted.
  template <class Io>
  void archive(Io& io) {
    io("started", started_);
  }

 private:
  void save(control::Author by, Saved then);
  void apply(const Change& change);

  Dependencies to_;
  TimePoint started_ = Clock::now();
  unsigned saving_ = 0;
  std::map<std::string, control::AuditEntry> last_changes_;  // by service
};

}  // namespace gray::master
