#pragma once
// A borrowed listening socket, a thread that accepts, and a bounded number of threads that serve one connection each.
// A connection gets a thread when its request has arrived. Callers that send nothing, or half of a request, wait
// without one; only a quarter of the threads serves requests that were not read completely. The protocol is
// implemented by the functions that the server is given.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "config/base/time.hpp"
#include "control/api/arrivals.hpp"
#include "control/api/cut_off.hpp"

namespace gray::control {

class ConnectionServer {
 public:
  static constexpr Duration kGracePeriod{1'000};  // for connections in progress when the server ends
  static constexpr std::size_t kWaiting = 256;

  struct Limits {
    std::size_t threads;  // also the number of connections that are served at once
    Duration oldest_makes_room{
        0};  // with all threads busy, one that was served for longer is cut for a new one; 0: none
    std::size_t waiting = kWaiting;  // connections that wait for their request or for a thread: beyond it the one that
                                     // has waited longest is closed, and the next are left in the listener's backlog
    Arrivals::Limits arrivals = {};
  };
  /// Serves a connection, whose first bytes are `received`, until it is done, is cut, or the cut-off time is reached.
  /// The server still owns it: it shuts it down to cut it, and closes it afterwards. Called from all threads.
  using Serve = std::function<void(int connection, std::string received, const CutOff& cut_off)>;

  /// `listener` is made non-blocking, polled and accepted from, never shut down or closed; it outlives the server, as
  /// does what `serve` refers to. `ended`: called once, by the last thread, when ended() has become true; not before
  /// end(). Throws std::system_error without threads or descriptors.
  ConnectionServer(
      int listener, Limits limits, Arrivals::Judge judge, Serve serve, std::function<void()> ended = [] {});
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
