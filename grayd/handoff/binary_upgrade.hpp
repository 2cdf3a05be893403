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
  static constexpr Duration kGracePeriod{2'000};  // for callers whose request has not come; they are cut after it

  /// The master. Its functions must not destroy the upgrade; it calls changed() when an answer of the const ones may
  /// have changed.
  class Host {
   public:
    virtual std::string stale() = 0;            // why the checked file is not in force; empty: it is
    virtual std::string unsettled() const = 0;  // the change that must end first, for people; empty: none
    virtual void close_endpoints() = 0;         // accept no further callers
    virtual bool callers_gone() const = 0;      // after close_endpoints(): every caller was answered
    virtual void leave() = 0;                   // the last call of an upgrade that succeeds

   protected:
    ~Host() = default;
  };
  /// `timeout`: from now to `leaving`. `failed`: the last call of an upgrade that fails; must not destroy it.
  BinaryUpgrade(asio::io_context& io, Host& host, std::function<void(CheckEnd)> failed, std::string program,
                std::string config, Duration timeout);

  /// Host's answers may differ from now on.
  void changed();

  const std::string& program() const { return program_; }
  /// Open, and the one that was checked.
  int binary() const { return check_.program(); }
  /// It is at its last step: it can only be left.
  bool leaving() const { return phase_ == Phase::leaving; }
  /// How far it is, for people.
  std::string text() const;

 private:
  enum class Phase { checking, settling, closing, leaving, failed };

  void on_checked(const CheckEnd& end);
  void await(TimePoint deadline);
  void overdue();
  void fail(CheckEnd end);

  Host& host_;
  std::function<void(CheckEnd)> failed_;
  std::string program_;
  Duration timeout_;
  TimePoint until_;
  bool grace_over_ = false;
  Phase phase_ = Phase::checking;
  BinaryCheck check_;
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master
