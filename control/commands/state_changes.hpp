#pragma once
// Carries out a decision about a service: saves the new state, publishes it to the routers, in the order that the
// decision needs. Main thread.
//
//  - More users for a version: saved first, because a crash must not undo what users have already seen.
//  - Fewer users, and going back: published first, because a stalled disk must not delay an abort.
//
// What has come into force is recorded in the history. A later change of the same service supersedes an earlier one
// that is still being saved.
#include <functional>
#include <string>

#include "control/commands/host.hpp"
#include "control/history/audit_entry.hpp"
#include "control/traffic/live_state.hpp"

namespace gray::control {

class StateChanges {
 public:
  using Done = std::function<void(Reply)>;
  /// All must outlive it.
  StateChanges(Host& host, const Settings& settings, LiveState& live) : host_(host), settings_(settings), live_(live) {}

  // `change`: service, version, what, actor, reason and verdict. `done` is called once, when every router uses the new
  // state and it is saved. `done_what`, such as "shifted": the change that was not made if it could not be saved.
  void save_first(AuditEntry change, ServiceState next, std::string done_what, Done done);
  void publish_first(AuditEntry change, ServiceState next, Done done);

 private:
  void compare(AuditEntry& change, const ServiceState& next) const;
  Reply overtaken(const std::string& service) const;
  void record(AuditEntry change, const SaveEnd& end);

  Host& host_;
  const Settings& settings_;
  LiveState& live_;
};

}  // namespace gray::control
