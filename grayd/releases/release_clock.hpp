#pragma once
// When the upkeep of former stables, removed versions and pending undos is done: after each change of versions or state
// that may concern them, and at the deadline that they name. Never within a handler of such a change. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>

#include "control/commands/release_verbs.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class ReleaseClock {
 public:
  /// Both outlive it. `looked`: called after each look, in which a pending undo may have ended.
  ReleaseClock(asio::io_context& io, control::ReleaseVerbs& releases, std::function<void()> looked)
      : io_(io), releases_(releases), looked_(std::move(looked)), timer_(io) {}

  /// At the end of this turn of the loop, if there may be something to do.
  void soon();

 private:
  void look();

  asio::io_context& io_;
  control::ReleaseVerbs& releases_;
  std::function<void()> looked_;
  asio::steady_timer timer_;
  bool pending_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
