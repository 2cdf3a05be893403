#pragma once
// The router: its threads, their shared state, and the channel to the master. The main thread only serves the channel
// and the event by which other routers report free units; it runs an engine like the others.
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "config/shared/channel.hpp"
#include "config/shared/segment.hpp"
#include "router/policy/client_limit.hpp"
#include "router/process/client_complaints.hpp"
#include "router/process/router_main.hpp"
#include "router/process/shard.hpp"
#include "router/process/stray_signals.hpp"
#include "router/process/target_cache.hpp"
#include "router/process/warm_up_check.hpp"

namespace gray::proxy {

class Router final : public ShardHost {
 public:
  /// `hello` is the master's first message.
  Router(Inheritance inheritance, segment::Segment segment, const ChannelMessage& hello);
  ~Router() override;

  /// Serves until drained (0) or orphaned (1).
  int run();

 private:
  // Neighbours and ShardHost: from any router thread.
  void hand_over(std::uint32_t thread, int fd, std::uint32_t row, std::uint32_t cell,
                 std::uint64_t generation) override;
  void wake(std::uint32_t thread, std::uint32_t row) override;
  std::uint32_t threads() const override { return static_cast<std::uint32_t>(shards_.size()); }
  void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row) override;
  void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row, std::uint32_t cell,
           std::uint64_t generation) override;
  void wake_routers() override { segment_.tell_freed(); }
  void met_stranger(std::uint32_t cell, std::uint64_t generation, const PeerOwner& found) override;
  void met_untrusted_proxy(const Address& peer) override;
  void worker_unused() override;
  void assign(std::uint32_t thread, int fd, const Address& peer, Opening opening) override;
  bool claim(const Address& peer, const Address& client) override;
  void closed(std::uint32_t thread, const Address& peer) override;
  void probed(std::uint64_t id, ProbeAnswer answer) override;
  void handshake_failed(const Address& client, tls::HandshakeFailure failure) override;
  void http2_failed(const Address& client, const char* rule) override;
  void drained(std::uint32_t thread) override;

  void start_threads();
  void pressed();
  bool admit(const Address& peer);
  void complain(const Address& client, const std::string& text);
  void report(ChannelMessage message);
  // Of the main thread.
  enum class Link { open, closed };
  void serve_channel();
  void serve_waiters();
  Link receive();
  Link send();
  void end(int result);
  void handle(ChannelMessage message);
  void take_table(ChannelMessage message);
  void take_secrets(const ChannelMessage& message);
  void reopen_log(const ChannelMessage& message);
  void reached(std::uint64_t id, bool ok, const std::string& detail);
  void run_warm_up_check();
  void report_outcomes();
  void report_ready();
  void weigh(std::uint64_t number);
  template <typename Task>
  void everywhere(Task task);

  Inheritance inheritance_;
  segment::Segment segment_;
  std::uint32_t router_slot_;
  RouterSettings settings_;
  std::vector<int> listeners_, proxied_, secured_;
  std::shared_ptr<const tls::Policies> policies_;  // of the main thread
  std::atomic<bool> ends_{false};                  // the shards are being destroyed
  engine::MemoryBudget memory_;
  engine::BufferPool main_buffers_{0};    // the main engine has no streams
  std::unique_ptr<engine::Engine> main_;  // of the main thread
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;

  struct alignas(64) Load {
    std::atomic<std::uint32_t> connections{0};
  };
  std::array<Load, segment::kThreads> loads_;
  std::mutex clients_mutex_;
  policy::ClientLimit clients_;

  std::mutex outgoing_mutex_;
  std::vector<ChannelMessage> outgoing_;
  std::vector<ProbeOutcome> outcomes_;  // since the last message with some; of the same mutex
  std::atomic<std::uint32_t> drained_threads_{0};
  std::atomic<bool> proxy_reported_{false};
  std::mutex complaints_mutex_;
  ClientComplaints complaints_;

  struct Ready final : engine::ReadyHandler {
    Router& router;
    void (Router::*then)();
    Ready(Router& owner, void (Router::*call)()) : router(owner), then(call) {}
    void on_ready() override { (router.*then)(); }
  };
  // The master handles the signals of the terminal and the service manager: a router ends when the master says so over
  // the channel, or when the channel ends.
  StraySignals signals_;
  Ready channel_{*this, &Router::serve_channel}, freed_{*this, &Router::serve_waiters};
  engine::Timer check_again_, report_outcomes_;
  std::optional<WarmUpCheck> warm_up_check_;  // of the main thread; until it is complete
  TargetCache targets_;                       // of the newest table; of the main thread
  std::uint32_t next_checker_ = 0;            // the thread that reaches the next worker
  bool reported_ready_ = false;
  bool finished_ = false;
  std::optional<int> result_;  // of run(); none: it still runs
};

}  // namespace gray::proxy
