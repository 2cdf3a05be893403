#pragma once
// A listening socket that is borrowed, and a bounded number of threads that accept and serve one connection each; the
// kernel's backlog is the queue. What is served is the business of the function that the server is given.
#include <cstddef>
#include <functional>
#include <memory>

#include "config/base/time.hpp"
#include "control/api/cut_off.hpp"

namespace gray::control {

class ConnectionServer {
 public:
  static constexpr Duration kFarewell{1'000};  // for connections in progress when the server ends

  struct Limits {
    std::size_t threads;             // as many connections at once
    bool oldest_makes_room = false;  // the connection that takes the last thread cuts the oldest; 2 threads at least
  };
  /// Serves a connection until there is no more to do for it, it is cut, or the cut-off has come. It stays the
  /// server's, which shuts it down to cut it, and closes it afterwards. Called from all threads.
  using Serve = std::function<void(int connection, const CutOff& cut_off)>;

  /// `listener` is made non-blocking, polled and accepted from, never shut down or closed; it outlives the server, as
  /// does what `serve` refers to. Throws std::system_error without threads or descriptors.
  ConnectionServer(int listener, Limits limits, Serve serve);
  ~ConnectionServer();  // end(), and waits for it
  /// No further connection is taken: who connects waits in the listener's backlog. Those in progress have kFarewell.
  void end();
  /// After end(): who is still there is cut now.
  void cut();
  /// After end(): no connection is in progress any more.
  bool ended() const;
  ConnectionServer(const ConnectionServer&) = delete;
  ConnectionServer& operator=(const ConnectionServer&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
