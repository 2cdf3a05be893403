#pragma once
// What the service manager is told (sd_notify(3)): that grayd serves, reloads, stops, and that its main loop turns.
// Silent where nobody asked. The variables stay in the environment: they are true for the next image of this process,
// too; no worker gets them.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

/// How often to tell that one lives: half of WATCHDOG_USEC; nothing if that is not asked of this process.
std::optional<Duration> watchdog_interval(const char* usec, const char* pid);

class ServiceManager {
 public:
  /// By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  explicit ServiceManager(asio::io_context& io);

  /// It serves; `status` is one line for people.
  void ready(const std::string& status);
  void reloading();
  /// Also one that was refused has ended: what served before goes on.
  void reloaded(bool accepted);
  void stopping(const std::string& status);
  template <class Io>
  void archive(Io& io) {
    io("serving", serving_);
  }
  /// From now on the watchdog is told as long as the loop turns.
  void watch();

 private:
  void tell(const std::string& text) const;

  std::string path_;  // empty: nobody asked
  UniqueFd socket_;
  std::optional<Duration> interval_;
  std::string serving_;  // the status of ready(); empty before
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master
