#pragma once
// The page over TCP: a browser on the host, or behind a proxy of the operator, sees the live feed and may ask the
// verbs. HTTP by cpp-httplib on a bounded number of threads, as on the admin socket; a connection that gets the live
// feed occupies none.
#include <functional>

#include "control/api/connection_server.hpp"
#include "control/api/live_feed.hpp"
#include "control/api/seats.hpp"
#include "control/daemon.hpp"
#include "control/dashboard/dashboard_api.hpp"
#include "control/dashboard/page_files.hpp"

namespace gray::control {

class DashboardServer {
 public:
  static constexpr std::size_t kThreads = 8;
  static constexpr int kSeats = 2;             // threads for callers that wait for an event
  static constexpr Duration kTimeout{15'000};  // of a connection, from the arrival of the request to the last byte

  /// `listener` is borrowed as a ConnectionServer borrows it. `daemon` and `feed` outlive the server. `writable`:
  /// whether the page may change something.
  DashboardServer(
      int listener, Daemon& daemon, LiveFeed& feed, bool writable, std::function<void()> ended = [] {},
      PageFiles page = built_in_page());
  ~DashboardServer();  // cuts who is there
  /// As a ConnectionServer's.
  void end() { server_.end(); }
  bool ended() const { return server_.ended(); }

 private:
  const PageFiles page_;
  Seats seats_{kSeats};
  LogSearches searches_;
  const DashboardApi::Shared shared_;
  ConnectionServer server_;
};

}  // namespace gray::control
