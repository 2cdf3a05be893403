#pragma once
// One replacement of the routers by a new one, from the wish to its end: the timers and the words around
// renewal_machine. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <string>

#include "config/exit_code.hpp"
#include "grayd/lifetime.hpp"
#include "grayd/renewal_machine.hpp"
#include "grayd/router_generation.hpp"

namespace gray::master {

/// How it ended, for who asked.
struct RenewalEnd {
  ExitCode code = ExitCode::ok;  // failed; timeout: patience was over
  pid_t pid = 0;                 // of the new router; 0: none was made
  std::string text;              // one line: what serves now, or in which phase what went wrong
};

class Renewal {
 public:
  static constexpr Duration kTrial{250};  // a router that falls over its first requests costs nothing but these

  /// What it needs of the fleet. Must not destroy the renewal before they return.
  struct Parts {
    std::function<RouterGeneration*()> spawn;  // null: the system has no room for a process
    std::function<void(RouterGeneration&)> listen;
    std::function<void(RouterGeneration&)> retire;  // drains every router before this one
    std::function<std::string()> drainers;          // who drains and for how long, for people
    std::function<void(RenewalEnd)> done;           // once, the last call
  };
  /// `patience`: from now to `trial`.
  Renewal(asio::io_context& io, Parts parts, Duration patience);

  /// Another router may live.
  void room() { on(RenewalEvent::room); }
  /// Of any router; only the new one's, and the end of one that was serving, matter.
  void greeted(const RouterGeneration& router);
  void ready(const RouterGeneration& router);
  void ended(const RouterGeneration& router);

  /// This is the new one.
  bool concerns(const RouterGeneration& router) const { return &router == fresh_; }
  bool over() const { return is_over(phase_); }
  /// How far it is, for people.
  std::string text() const;

 private:
  void on(RenewalEvent event);
  void carry_out(RenewalAction action);
  void finish(RenewalPhase before, RenewalEvent event);
  RenewalEnd failure(RenewalPhase before, RenewalEvent event) const;
  void begin_trial();

  Parts parts_;
  Duration patience_;
  RenewalPhase phase_ = RenewalPhase::waiting;
  RouterGeneration* fresh_ = nullptr;
  pid_t pid_ = 0;
  std::string end_;  // of the new one's process
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master
