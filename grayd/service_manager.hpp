#pragma once
// Notifies the service manager (sd_notify(3)) that grayd serves, reloads, stops, and that its main loop runs. Does
// nothing if the service manager did not ask for it. The variables stay in the environment, because they are valid for
// the next image of this process, too; workers do not get them.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

/// The interval of the watchdog messages: half of WATCHDOG_USEC; nothing if they are not requested of this process.
std::optional<Duration> watchdog_interval(const char* usec, const char* pid);

class ServiceManager {
 public:
  /// By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  explicit ServiceManager(asio::io_context& io);

  /// grayd serves; `status` is one line for people. May be repeated: a changed status is sent.
  void ready(const std::string& status);
  /// No service can answer. After ready() only the status changes.
  void not_ready(const std::string& status);
  void reloading();
  /// The reload has ended; if it was refused, grayd serves with the old settings.
  void reloaded(bool accepted);
  void stopping(const std::string& status);
  template <class Io>
  void archive(Io& io) {
    io("serving", serving_);
  }
  /// Sends watchdog messages from now on, as long as the loop runs.
  void watch();

 private:
  void notify(const std::string& text) const;

  std::string path_;  // empty: notifications are not requested
  UniqueFd socket_;
  std::optional<Duration> interval_;
  std::string serving_;  // the status of ready(); empty before
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master
