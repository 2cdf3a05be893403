#pragma once
// GET /metrics over TCP, and nothing else: for a Prometheus that cannot reach the admin socket. HTTP by cpp-httplib, as
// on the admin socket. At most kClients at once, the oldest makes room for a new one, and each is cut after its time.
// The daemon is asked at most every kFresh, however many ask: a flood here costs it nothing.
#include <memory>
#include <mutex>

#include "config/base/time.hpp"
#include "control/api/connection_server.hpp"
#include "control/api/pending_reply.hpp"
#include "control/daemon.hpp"

namespace gray::control {

/// The daemon's newest metrics, shared by who asks at about the same time.
class SharedMetrics {
 public:
  static constexpr Duration kFresh{200};  // an answer of the daemon serves whoever asks within

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
  static constexpr std::size_t kHead = 4'096;  // bytes of a request; longer ones are refused
  static constexpr Duration kTimeout{5'000};   // from accept to the last byte

  /// `listener` is borrowed as a ConnectionServer borrows it. `daemon` outlives the server.
  MetricsServer(int listener, Daemon& daemon, Duration timeout = kTimeout);
  ~MetricsServer();  // cuts who is there
  /// As a ConnectionServer's.
  void end() { server_.end(); }
  bool ended() const { return server_.ended(); }

 private:
  SharedMetrics metrics_;
  ConnectionServer server_;
};

}  // namespace gray::control
