#pragma once
// The admin API on a unix socket: HTTP/1.1 by cpp-httplib, a bounded number of threads, nothing but parsing and
// posting. Serving a connection ignores SIGPIPE for the process (cpp-httplib does); a spawned child must reset it.
#include "control/api/admin_api.hpp"
#include "control/api/connection_server.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class AdminServer {
 public:
  /// `listener` is the master's listening socket, borrowed as a ConnectionServer borrows it. `daemon` outlives the
  /// server.
  AdminServer(int listener, Daemon& daemon);
  /// As a ConnectionServer's; its destructor is end() and waits for it.
  void end() { server_.end(); }
  bool ended() const { return server_.ended(); }

 private:
  Seats seats_;
  ConnectionServer server_;
};

}  // namespace gray::control
