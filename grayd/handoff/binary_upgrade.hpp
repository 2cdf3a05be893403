#pragma once
// The way to a new image of grayd, up to the last step before the exec: the program is checked, then what is being
// changed comes to its end, then the last callers are answered. Until that step every failure leaves all as it was.
//
//   checking   the new program is asked (grayd/handoff/binary_check.hpp)
//   settling   a shift waits for the disk, say; nothing new is begun
//   closing    nobody else is let in; callers wait in the sockets' backlogs
//   leaving    all is quiet: the exec is due
//
// Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <string>

#include "grayd/handoff/binary_check.hpp"

namespace gray::master {

class BinaryUpgrade {
 public:
  static constexpr Duration kTick{5};          // between two looks
  static constexpr Duration kFarewell{2'000};  // for callers; who has not even asked by then is cut

  /// What it needs of the master. Must not destroy the replacement before they return.
  struct Dependencies {
    std::function<std::string()> stale;      // why what was checked is not what is in force; empty: it is
    std::function<std::string()> unsettled;  // what must come to its end before, for people; empty: nothing
    std::function<void()> close;             // let nobody else in
    std::function<bool()> closed;            // everybody who was in has gone
    std::function<void()> leave;             // the last call of a good one
    std::function<void(CheckEnd)> failed;    // the last call of another
  };
  /// `timeout`: from now to `leaving`.
  BinaryUpgrade(asio::io_context& io, Dependencies dependencies, std::string program, std::string config,
                Duration timeout);

  const std::string& program() const { return program_; }
  /// Open, and the one that was checked.
  int binary() const { return check_.program(); }
  /// It is at its last step: it can only be left.
  bool leaving() const { return phase_ == Phase::leaving; }
  /// How far it is, for people.
  std::string text() const;

 private:
  enum class Phase { checking, settling, closing, leaving };

  void on_checked(const CheckEnd& end);
  void look();
  bool step();
  void fail(CheckEnd end);

  Dependencies dependencies_;
  std::string program_;
  Duration timeout_;
  TimePoint until_;
  TimePoint farewell_{};
  Phase phase_ = Phase::checking;
  BinaryCheck check_;
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master
