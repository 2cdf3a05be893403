#pragma once
// Only GET /metrics over TCP, for a Prometheus that cannot reach the admin socket. HTTP by cpp-httplib, as on the admin
// socket. At most kClients are served at once: a new one cuts one that has been served for long, and each is cut after
// its time limit. The daemon is asked at most every kFresh, however many clients ask, so a flood of requests here does
// not load it.
#include <memory>
#include <mutex>

#include "config/base/time.hpp"
#include "control/api/connection_server.hpp"
#include "control/api/pending_reply.hpp"
#include "control/daemon.hpp"

namespace gray::control {

/// The newest metrics of the daemon, shared by requests at about the same time.
class SharedMetrics {
 public:
  static constexpr Duration kFresh{200};  // how long an answer of the daemon is reused

  explicit SharedMetrics(Daemon& daemon) : daemon_(daemon) {}
  /// Thread-safe.
  std::shared_ptr<const PendingReply> get();

 private:
  Daemon& daemon_;
  std::mutex mutex_;
  std::shared_ptr<const PendingReply> last_;
};

class MetricsServer {
 public:
  static constexpr std::size_t kClients = 16;
  static constexpr std::size_t kHead = 4'096;  // bytes of a request head; longer ones are refused
  static constexpr Duration kTimeout{5'000};   // from the arrival of the head to the last byte

  /// `listener` is borrowed as a ConnectionServer borrows it. `daemon` outlives the server.
  MetricsServer(int listener, Daemon& daemon, std::function<void()> ended = [] {}, Duration timeout = kTimeout);
  ~MetricsServer();  // cuts who is there
  /// As a ConnectionServer's.
  void end() { server_.end(); }
  bool ended() const { return server_.ended(); }

 private:
  SharedMetrics metrics_;
  ConnectionServer server_;
};

}  // namespace gray::control
