#pragma once
// The admin API on a unix socket: HTTP/1.1 by cpp-httplib, a bounded number of threads, nothing but parsing and posting.
#include <memory>

#include "config/unique_fd.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class AdminServer {
 public:
  /// `listener` is the master's listening socket (it survives the server); it is polled and accepted from, never shut down.
  AdminServer(int listener, Daemon& daemon);
  ~AdminServer();  // ends the threads; calls in progress are answered first or cut after 1 s
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Binds and listens at `path` with mode 0660 (parent folders created, a stale socket replaced, a living one refused).
/// Throws std::runtime_error with a line for people.
UniqueFd open_admin_socket(const std::string& path);

}  // namespace gray::control
