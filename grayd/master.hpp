#pragma once
// The master process: one main thread that owns listeners, routers, workers and state, and wires the parts, which do
// not know each other. It forwards no byte of traffic.
//
// Order at start, each step a condition of the next: state and its lock, leftovers swept, segment, listeners bound,
// admin socket, a router (it probes the workers), the workers, and listening once every stable is up or has failed.
// Order at the end: routers drain, then workers stop, then the process ends; nothing survives it.
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <optional>

#include "config/segment.hpp"
#include "config/settings.hpp"
#include "config/settings_diff.hpp"
#include "control/admin_server.hpp"
#include "control/daemon.hpp"
#include "control/event_log.hpp"
#include "control/metrics_server.hpp"
#include "control/state_store.hpp"
#include "grayd/access_log.hpp"
#include "grayd/cells.hpp"
#include "grayd/config_file.hpp"
#include "grayd/file_limit.hpp"
#include "grayd/journal.hpp"
#include "grayd/listeners.hpp"
#include "grayd/live_state.hpp"
#include "grayd/publisher.hpp"
#include "grayd/routers.hpp"
#include "grayd/rows.hpp"
#include "grayd/service_manager.hpp"
#include "grayd/upgrades.hpp"
#include "grayd/verbs.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class Master final : supervisor::Host, control::Daemon {
 public:
  /// Takes everything that can be refused (lock, addresses, files), starts nothing. Throws std::runtime_error with a
  /// line for people.
  explicit Master(Settings settings, ActivatedSockets given = {});
  ~Master() override;

  /// Serves until a signal or an error ends it; returns the exit code.
  int run();

 private:
  enum class Phase { starting, serving, stopping, stopped };

  void start();
  void on_signal(int signal);
  void await_signal();
  void stop();
  void stop_workers();
  void survive(const std::exception& error);
  void publish_soon();
  void publish_now();
  void release_rows();
  void listen_if_allowed();
  void reopen_access_log();
  void watch_access_log();
  void tell(EventKind kind, std::string cause, std::string text);
  control::Reply reload();
  control::Reply read_again();
  void apply(const Changes& changes, Settings fresh);
  Verbs::Parts verb_parts();
  unsigned carry_out(const Ordered& ordered);
  void report(const std::function<void(const ReportSource&)>& reader);

  // supervisor::Host
  void workers_changed() override { publish_soon(); }
  bool probe(std::uint64_t id, std::uint32_t cell, const Address& address, const std::string& path,
             Duration timeout) override;
  std::optional<std::uint32_t> take_cell() override { return cells_.take(); }
  void give_cell(std::uint32_t cell) override { cells_.give(cell); }
  std::uint32_t open_sockets(std::uint32_t cell) const override { return cells_.open(cell); }
  bool withdrawn(std::uint32_t) const override { return !publish_pending_ && publisher_.settled(); }
  void group_started(pid_t pgid) override;
  void group_gone(pid_t pgid) override { segment_.remove_group(pgid); }
  bool carries_traffic(const std::string& service, const std::string& version) const override;
  void happened(EventRecord event) override { events_.add(std::move(event)); }
  // control::Daemon
  void call(std::string verb, nlohmann::json args, std::function<void(control::Reply)> done) override;

  Settings settings_;
  asio::io_context io_;
  control::StateStore store_;
  control::EventLog events_;
  ConfigFile config_file_;
  LiveState live_;
  std::string instance_;
  segment::Segment segment_;
  Rows rows_;
  Cells cells_;
  Listeners listeners_, proxied_listeners_, metrics_listener_;
  UniqueFd access_log_;
  UniqueFd admin_socket_;
  Routers routers_;
  supervisor::Supervisor supervisor_;
  Publisher publisher_;
  Upgrades upgrades_;
  Verbs verbs_;
  Journal journal_;
  asio::signal_set signals_;
  ServiceManager manager_;
  asio::steady_timer log_glance_;
  AccessLogWatch log_watch_;
  Reloads reloads_;
  std::optional<control::AdminServer> admin_;
  std::optional<control::MetricsServer> metrics_;
  TimePoint started_ = Clock::now();
  Phase phase_ = Phase::starting;
  bool publish_pending_ = false;
  bool workers_stopping_ = false;
  rlim_t file_limit_ = 0;  // what grayd was started with
  int exit_code_ = 0;
};

/// A whole life of grayd. Errors of the start are printed, exit code 1.
int run_master(Settings settings);

}  // namespace gray::master
