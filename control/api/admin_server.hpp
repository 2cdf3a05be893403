#pragma once
// The admin API on a unix socket: HTTP/1.1 by cpp-httplib, a bounded number of threads, nothing but parsing and
// posting. Constructing one ignores SIGPIPE for the process (cpp-httplib does); a spawned child must reset it.
#include <memory>

#include "config/base/unique_fd.hpp"
#include "control/api/admin_socket.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class AdminServer {
 public:
  /// `listener` is the master's listening socket (it survives the server); it is made non-blocking, polled and accepted
  /// from, never shut down. `daemon` outlives the server.
  AdminServer(int listener, Daemon& daemon);
  ~AdminServer();  // end(), and waits for it
  /// No further call is taken: who connects waits in the listener's backlog. Calls in progress are answered first, or
  /// cut after 1 s.
  void end();
  /// After end(): no call is in progress any more.
  bool ended() const;
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
