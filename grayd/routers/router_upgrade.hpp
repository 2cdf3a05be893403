#pragma once
// One replacement of the routers by a new one, from the request to the result: the timers and texts around
// router_upgrade_machine. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <string>

#include "config/base/exit_code.hpp"
#include "grayd/process/lifetime.hpp"
#include "grayd/routers/router_generation.hpp"
#include "grayd/routers/router_upgrade_machine.hpp"

namespace gray::master {

/// The result of an upgrade.
struct RouterUpgradeEnd {
  ExitCode code = ExitCode::ok;  // ok, failed or timeout
  pid_t pid = 0;                 // of the new router; 0: none was started
  std::string text;              // one line: the router that serves now, or the phase and reason of the failure
};

class RouterUpgrade {
 public:
  static constexpr Duration kTrial{250};  // a router that crashes at its first requests affects only these

  /// All routers. Its functions must not destroy the upgrade.
  class Fleet {
   public:
    virtual RouterGeneration* spawn_new() = 0;  // null: the system cannot create another process
    virtual void let_accept(RouterGeneration& router) = 0;
    virtual void drain_older(const RouterGeneration& router) = 0;  // every router before this one
    virtual std::string draining() const = 0;                      // which routers drain and for how long, for people
    virtual void upgrade_ended(RouterUpgradeEnd end) = 0;          // called once, the last call

   protected:
    ~Fleet() = default;
  };
  /// `timeout`: from now until the phase `trial`.
  RouterUpgrade(asio::io_context& io, Fleet& fleet, Duration timeout);

  /// There is room for another router.
  void room() { on(RouterUpgradeEvent::room); }
  /// Called for any router; only events of the new one, and the end of a serving one, have an effect.
  void greeted(const RouterGeneration& router);
  void ready(const RouterGeneration& router);
  void ended(const RouterGeneration& router);

  /// Whether this is the new one.
  bool concerns(const RouterGeneration& router) const { return &router == fresh_; }
  bool over() const { return is_over(phase_); }
  /// The current phase, for people.
  std::string text() const;

 private:
  void on(RouterUpgradeEvent event);
  void carry_out(RouterUpgradeAction action);
  void finish(RouterUpgradePhase before, RouterUpgradeEvent event);
  RouterUpgradeEnd failure(RouterUpgradePhase before, RouterUpgradeEvent event) const;
  void begin_trial();

  Fleet& fleet_;
  Duration timeout_;
  RouterUpgradePhase phase_ = RouterUpgradePhase::waiting;
  RouterGeneration* fresh_ = nullptr;
  pid_t pid_ = 0;
  std::string end_;  // how the new router's process ended
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master
