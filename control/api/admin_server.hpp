#pragma once
// The admin API on a unix socket: HTTP/1.1 by cpp-httplib, on a bounded number of threads that only parse requests and
// post them to the Daemon. cpp-httplib makes the process ignore SIGPIPE; a spawned child must reset it.
#include "control/api/admin_api.hpp"
#include "control/api/connection_server.hpp"
#include "control/api/live_feed.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class AdminServer {
 public:
  /// `listener` is the listening socket of the master, borrowed as by ConnectionServer. `daemon` and `feed` outlive
  /// the server. `feed`: null: there is no live feed.
  AdminServer(int listener, Daemon& daemon, std::function<void()> ended = [] {}, LiveFeed* feed = nullptr);
  /// As in ConnectionServer; the destructor calls end() and waits.
  void end() { server_.end(); }
  bool ended() const { return server_.ended(); }

 private:
  Seats seats_;
  ConnectionServer server_;
};

}  // namespace gray::control
