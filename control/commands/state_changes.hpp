#pragma once
// Carries out a decision about a service: saves the new state, publishes it to the routers, in the order that the
// decision needs. Main thread.
//
//  - More users for a version: saved first, because a crash must not undo what users have already seen.
//  - Fewer users, and going back: published first, because a stalled disk must not delay an abort.
//
// A later change of the same service supersedes an earlier one that is still being saved.
#include <functional>
#include <string>

#include "control/commands/host.hpp"
#include "control/traffic/live_state.hpp"

namespace gray::control {

class StateChanges {
 public:
  using Done = std::function<void(Reply)>;
  /// Both must outlive it.
  StateChanges(Host& host, LiveState& live) : host_(host), live_(live) {}

  // `done` is called once, when every router uses the new state and it is saved. `what`, such as "shifted": the change
  // that was not made if it could not be saved.
  void save_first(const std::string& service, ServiceState next, std::string what, Done done);
  void publish_first(const std::string& service, ServiceState next, Done done);

 private:
  Host& host_;
  LiveState& live_;
};

}  // namespace gray::control
