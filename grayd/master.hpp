#pragma once
// The master process: one main thread that owns listeners, routers, workers and state, and connects the parts, which do
// not depend on each other. It forwards no byte of traffic.
//
//  Order at start, each step requires the one before: state and its lock, leftovers killed, segment, listeners bound,
//  admin socket, the guard, a router (it probes the workers), the workers, and listening once every stable version is
//  up or has failed. Order at the end: routers drain, then workers stop, then the process ends; no process survives it.
//
//  Handover: between two events of the loop, with all signals blocked, the master serialises its state and replaces its
//  own image by exec (grayd/handoff/self_exec.hpp). If that fails, it continues unchanged.
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include "config/settings/config_file.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/segment.hpp"
#include "control/commands/reloader.hpp"
#include "control/commands/rollouts.hpp"
#include "control/commands/verbs.hpp"
#include "control/daemon.hpp"
#include "control/traffic/live_state.hpp"
#include "control/traffic/publisher.hpp"
#include "control/traffic/rows.hpp"
#include "control/traffic/weights.hpp"
#include "grayd/access_log.hpp"
#include "grayd/cells.hpp"
#include "grayd/certificates/certificates.hpp"
#include "grayd/command_host.hpp"
#include "grayd/control_endpoints.hpp"
#include "grayd/guard/guard.hpp"
#include "grayd/handoff/self_exec.hpp"
#include "grayd/history.hpp"
#include "grayd/holdings.hpp"
#include "grayd/own_files.hpp"
#include "grayd/process/file_limit.hpp"
#include "grayd/publication.hpp"
#include "grayd/releases/minute_sampler.hpp"
#include "grayd/releases/release_clock.hpp"
#include "grayd/releases/rollout_clock.hpp"
#include "grayd/routers/routers.hpp"
#include "grayd/service_manager.hpp"
#include "grayd/upgrades.hpp"
#include "grayd/warning_log.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class Master final : supervisor::Host,
                     control::Daemon,
                     Routers::Owner,
                     Publication::Listener,
                     BinaryUpgrade::Host,
                     HandedOver {
 public:
  /// Acquires everything that can fail (lock, addresses, files), starts nothing. Throws std::runtime_error with a line
  /// for people.
  explicit Master(Settings settings, ActivatedSockets given = {});
  /// `file`: the configuration file that the settings were read from.
  Master(Settings settings, ConfigFile file, ActivatedSockets given);
  /// Empty until archive(Load&) has returned; before that it must not be destroyed.
  Master(Settings settings, ConfigFile file, Restored);

  /// Serves until a signal or an error ends it; returns the exit code.
  int run();
  /// The same for an image that was resumed. `returned`: why the next image failed and returned to this one; or empty.
  int resume(std::string returned);

  template <class Io>
  void archive(Io& io);

 private:
  using Phase = control::Phase;
  template <class Origin>
  Master(Settings settings, ConfigFile file, Origin origin, int);

  int loop();
  void continue_serving(const std::string& returned);
  void abandon_hand_over(const std::string& why);
  void hand_over();

  void start();
  void on_signal(int signal);
  void await_signal();
  void stop();
  void stop_workers();
  void survive(const std::exception& error);
  /// Everything that listening requires is ready, except for the workers.
  bool listens_soon() const { return phase_ == Phase::starting && publication_.settled() && routers_.any_ready(); }
  void listen_if_allowed(const std::vector<VersionView>& views);
  std::vector<OwnFiles::File> own_files();
  void reopen_endpoints();
  void endpoint_ended();
  std::string announce(const std::vector<VersionView>& views);
  void report(EventKind kind, std::string cause, std::string text);

  // supervisor::Host
  void workers_changed() override { publication_.soon(); }
  bool probe(std::uint64_t id, std::uint32_t cell, const Address& address, uid_t owner, const HttpProbe& http,
             Duration timeout) override {
    return routers_.probe({id, cell, address, owner, http, timeout});
  }
  std::optional<std::uint32_t> take_cell() override { return cells_.take(); }
  void give_cell(std::uint32_t cell) override { cells_.give(cell); }
  std::uint32_t open_sockets(std::uint32_t cell) const override { return cells_.open(cell); }
  bool withdrawn(std::uint32_t) const override { return publication_.settled(); }
  void group_started(pid_t pgid) override;
  void group_gone(pid_t pgid) override { guard_.remove(pgid); }
  bool carries_traffic(const std::string& service, const std::string& version) const override {
    return control::carries_traffic(settings_, live_.published(), service, version);
  }
  void emit(EventRecord event) override { history_.emit(std::move(event)); }
  void output_kept() override { history_.output_kept(); }
  std::vector<uid_t> router_users() const override { return {routers_.users().begin(), routers_.users().end()}; }
  // Routers::Owner
  void routers_changed() override;
  void workers_unused() override { supervisor_.sockets_closed(); }
  void probed(const ProbeOutcome& outcome) override {
    supervisor_.probed(outcome.id, outcome.ok, outcome.detail, outcome.peer);
  }
  void met_stranger(const ChannelMessage& report) override {
    if (report.peer) supervisor_.met_stranger(report.number, *report.peer);
  }
  void met_untrusted_proxy(const ChannelMessage& report) override;
  void client_fault(const ChannelMessage& report) override;
  void router_user_added() override { supervisor_.admit_routers(); }
  void probing_possible(bool possible) override { supervisor_.probing_possible(possible); }
  // Publication::Listener
  void published(const std::vector<VersionView>& views) override;
  // BinaryUpgrade::Host
  std::string stale() override { return reloader_.stale(); }
  std::string unsettled() const override;
  void close_endpoints() override;
  bool callers_gone() const override { return endpoints_.empty(); }
  void leave() override;
  // HandedOver
  void write(Save& to) override;
  // control::Daemon
  void call(std::string verb, nlohmann::json args, std::function<void(control::Reply)> done) override;

  Settings settings_;
  asio::io_context io_;
  Phase phase_ = Phase::starting;
  Holdings holdings_;
  control::LiveState live_;
  control::Rows rows_;
  Cells cells_;
  Guard guard_;
  Routers routers_;
  supervisor::Supervisor supervisor_;
  History history_;
  Certificates certificates_;
  control::Publisher publisher_;
  Publication publication_;
  Upgrades upgrades_;
  MinuteSampler minutes_;
  MemorySampler memory_;
  CommandHost commands_;
  control::Rollouts rollouts_;
  control::Verbs verbs_;
  ReleaseClock release_clock_;
  RolloutClock rollout_clock_;
  asio::signal_set signals_;
  ServiceManager manager_;
  control::Reloader reloader_;
  AccessLog access_log_;
  OwnFiles own_files_;
  ControlEndpoints endpoints_;
  WarningLog warnings_;
  std::string untrusted_proxy_;  // see control::ReportSource
  unsigned changing_ = 0;        // verbs in progress that change something
  bool reopening_ = false;       // the endpoints, when their callers are gone
  bool leaving_ = false;         // hand over when the loop has stopped
  bool workers_stopping_ = false;
  rlim_t file_limit_ = 0;  // the soft limit that grayd was started with
  int exit_code_ = 0;
};

/// Runs grayd from start to end. Throws std::runtime_error if the start fails.
int run_master(Settings settings, ConfigFile file);

}  // namespace gray::master
