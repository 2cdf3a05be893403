#pragma once
// The upgrade of grayd to a new image, up to the last step before the exec: the program is checked, then changes in
// progress end, then connected callers are answered. A failure before that step leaves everything as it was.
//
//    checking   the new program is checked (grayd/handoff/binary_check.hpp)
//    settling   a change in progress ends, for example a shift that waits for the disk; no new one starts
//    closing    no new callers are accepted; they wait in the sockets' backlogs
//    leaving    nothing is in progress: the exec is next
//
//  Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <string>

#include "grayd/handoff/binary_check.hpp"

namespace gray::master {

class BinaryUpgrade {
 public:
  static constexpr Duration kGracePeriod{
      2'000};  // for callers that have not sent their request; they are disconnected after it

  /// The master. Its functions must not destroy the upgrade; it calls changed() when a const function may return a
  /// different value.
  class Host {
   public:
    virtual std::string stale() = 0;            // why the checked configuration is not in force; empty: it is
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

  /// The return values of Host's const functions may have changed.
  void changed();

  const std::string& program() const { return program_; }
  /// The open file of the checked program.
  int binary() const { return check_.program(); }
  /// At its last step: the exec follows.
  bool leaving() const { return phase_ == Phase::leaving; }
  /// The current phase, for people.
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
