#pragma once
// The process in which the verbs run. The master of grayd implements it, and so do tests. Main thread.
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/memory_report.hpp"
#include "config/shared/routing_table.hpp"
#include "control/commands/version_command.hpp"
#include "control/daemon.hpp"
#include "control/history/audit_entry.hpp"
#include "control/report/report_source.hpp"
#include "control/state/state_saver.hpp"

namespace gray::control {

class Host {
 public:
  /// `laggards`: the routers that were too slow, as text; empty: none.
  using Applied = std::function<void(const std::string& laggards)>;
  using Saved = std::function<void(const SaveEnd& end)>;

  virtual ~Host() = default;
  /// Saves the currently wanted state, which `by` has changed; calls back from the loop.
  virtual void persist(Author by, Saved then) = 0;
  /// Publishes the current live state and calls back when every router uses it.
  virtual void publish(Applied then) = 0;
  /// Calls back when the routers use the current state, or after a short limit if they are slow.
  virtual void settle(Applied then) = 0;
  /// `args`: "upgrade_timeout_ms": for a new router, if the changes need one; "wait": false: answer before it serves.
  virtual void reload(const nlohmann::json& args, std::function<void(Reply)> done) = 0;
  virtual Reply upgrade(const nlohmann::json& args) = 0;
  /// Whether the caller of a verb, "peer" in `args`, may run any program as the user of grayd.
  virtual bool may_run_programs(const nlohmann::json& args) const = 0;
  /// Why a version with these settings cannot be started on this machine, as text; empty: it can.
  virtual std::string objection_to_start(const std::string& service, const VersionSettings& version) const = 0;
  /// The settings in force get the deployed versions of the published state.
  virtual void deployed_changed() = 0;
  /// The supervisor forgets a version that is not in force any longer.
  virtual void forget(const std::string& service, const std::string& version) = 0;
  /// ReleaseVerbs::advance() may have something to do: calls it soon, from the loop.
  virtual void upkeep_soon() = 0;
  virtual void emit(EventRecord event) = 0;
  /// Adds to the history; without `before` and `after` the shares of the service are the current ones.
  virtual void record(AuditEntry entry) = 0;
  /// The newest entry of the service since the start of grayd; null: none.
  virtual const AuditEntry* last_change(const std::string& service) const = 0;
  /// Executes the command; returns the number of the replacement for a restart, else 0.
  virtual unsigned carry_out(const VersionCommand& command) = 0;
  /// The current source: pending changes are published before.
  virtual ReportSource report() = 0;
  /// The routing table in force: pending changes are published before. Valid until the next turn of the loop.
  virtual const RoutingTable& routing_table() = 0;
  /// Asks the routers what they hold; calls back from the loop, within about a second. Empty: no router is ready.
  virtual void weigh(std::function<void(std::vector<RouterMemory>)> then) = 0;
  virtual bool stopping() const = 0;
  /// Why nothing can be changed for a while, as text; empty: changes are allowed.
  virtual std::string locked() const = 0;
};

}  // namespace gray::control
