#pragma once
// A borrowed listening socket, and a bounded number of threads that accept and serve one connection each; the backlog
// of the kernel is the queue. The protocol is implemented by the function that the server is given.
#include <cstddef>
#include <functional>
#include <memory>

#include "config/base/time.hpp"
#include "control/api/cut_off.hpp"

namespace gray::control {

class ConnectionServer {
 public:
  static constexpr Duration kGracePeriod{1'000};  // for connections in progress when the server ends

  struct Limits {
    std::size_t threads;             // also the number of connections at once
    bool oldest_makes_room = false;  // a connection that occupies the last thread cuts the oldest; needs 2 threads
  };
  /// Serves a connection until it is done, is cut, or the cut-off time is reached. The server still owns it: it shuts
  /// it down to cut it, and closes it afterwards. Called from all threads.
  using Serve = std::function<void(int connection, const CutOff& cut_off)>;

  /// `listener` is made non-blocking, polled and accepted from, never shut down or closed; it outlives the server, as
  /// does what `serve` refers to. `ended`: called once, by the last thread, when ended() has become true; not before
  /// end(). Throws std::system_error without threads or descriptors.
  ConnectionServer(int listener, Limits limits, Serve serve, std::function<void()> ended = [] {});
  ~ConnectionServer();  // end(), and waits for it
  /// No further connection is taken: who connects waits in the listener's backlog. Those in progress have kGracePeriod.
  void end();
  /// After end(): cuts the remaining connections now.
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
