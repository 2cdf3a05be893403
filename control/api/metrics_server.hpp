#pragma once
// GET /metrics over TCP, and nothing else: for a Prometheus that cannot reach the admin socket. One thread of its own,
// which never waits for a client: at most kClients at once, the oldest makes room for a new one, and each is cut after
// kTimeout. The daemon is asked at most every kFresh, however many ask: a flood here costs it nothing.
#include <memory>

#include "config/base/time.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class MetricsServer {
 public:
  static constexpr std::size_t kClients = 16;
  static constexpr std::size_t kHead = 4'096;  // bytes of a request; longer ones are refused
  static constexpr Duration kTimeout{5'000};   // from accept to the last byte
  static constexpr Duration kFresh{200};       // an answer of the daemon serves whoever asks within

  /// `listener` listens and is non-blocking; it and `daemon` outlive the server.
  MetricsServer(int listener, Daemon& daemon, Duration timeout = kTimeout);
  ~MetricsServer();  // cuts who is there
  /// Nobody else is taken: who connects waits in the listener's backlog. Who is there is served, or cut after 1 s.
  void end();
  /// After end(): nobody is there any more.
  bool ended() const;
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
