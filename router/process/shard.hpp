#pragma once
// One router thread: an engine and all objects that only this thread uses. Other threads reach it by post() only.
#include <functional>
#include <memory>
#include <vector>

#include "config/shared/segment.hpp"
#include "router/backends/backends.hpp"
#include "router/downstream/downstream.hpp"
#include "router/engine/object_store.hpp"
#include "router/process/memory_scan.hpp"
#include "router/process/prober.hpp"
#include "router/proxy/exchange.hpp"
#include "router/proxy/recorder.hpp"

namespace gray::proxy {

/// Calls of a shard to its router. Thread-safe.
class ShardHost : public Neighbours {
 public:
  /// A new connection was accepted on `thread`: limits are checked and the least loaded thread gets it.
  virtual void assign(std::uint32_t thread, int fd, const Address& peer, Opening opening) = 0;
  /// A connection counts as one of `client` instead of `peer`. False: beyond the client's limit; it is counted anyway.
  virtual bool claim(const Address& peer, const Address& client) = 0;
  virtual void closed(std::uint32_t thread, const Address& peer) = 0;
  virtual void probed(std::uint64_t id, ProbeAnswer answer) = 0;
  virtual void http2_failed(const Address& client, const char* rule) = 0;
  virtual void handshake_failed(const Address& client, tls::HandshakeFailure failure) = 0;
  virtual void drained(std::uint32_t thread) = 0;
};

struct ShardOptions {
  ShardId shard_id;
  engine::MemoryBudget& memory;  // of all threads; outlives the shard
  RouterSettings settings;
  UniqueFd access_log;
  std::uint64_t id_seed = 0;
  Duration rate_window = policy::kRateWindow;  // over which a slow client is judged
  std::function<std::unique_ptr<engine::Engine>(engine::BufferPool&)> make_engine = engine::make_engine;
};

class Shard final : public DownstreamOwner {
 public:
  Shard(ShardHost& host, segment::Layout& layout, ShardOptions options);
  ~Shard();

  engine::Engine& engine() { return *engine_; }
  void post(std::function<void()> task);

  // To be called on its thread.
  void apply(std::shared_ptr<const RoutingTable> table, CompiledTable compiled = {});
  /// `proxied`: listeners whose connections begin with a PROXY header.
  void listen(const std::vector<int>& listeners, const std::vector<int>& proxied = {},
              const std::vector<int>& secured = {});
  /// New connections with TLS use these.
  void secure(std::shared_ptr<const tls::Policies> policies);
  void open(int fd, const Address& peer, Opening opening);
  void probe(ProbeRequest request) { prober_.start(std::move(request)); }
  void reopen_log(UniqueFd fd) { recorder_.reopen(std::move(fd)); }
  /// Takes no new connections and ends within `timeout`. `at_once`: idle clients are closed now, not at their next
  /// request.
  void drain(Duration timeout, bool at_once);
  /// For reports: calls `done` with what this thread holds, within a few turns of its loop.
  void weigh(MemoryScan::Done done);
  /// What the leak detection has found, by the place that took the buffers; extrapolated from those that are watched.
  std::vector<MemoryLeak> leaks() const;
  /// Bytes that are kept for clients because they could not be passed on yet.
  std::size_t held_bytes() const;
  /// The level of the memory budget has changed.
  void relieve();
  Backends& backends() { return backends_; }
  TransactionPool& transactions() { return transactions_; }
  const engine::BufferPool& buffers() const { return buffers_; }

 private:
  struct Door final : engine::AcceptHandler {
    Shard& shard;
    Opening opening;
    Door(Shard& owner, Opening begins) : shard(owner), opening(begins) {}
    void on_accept(int fd, const Address& peer) override;
  };

  void report(const engine::Leak& leak) const;
  void gone(Downstream& downstream) override;
  bool claim(const Address& peer, const Address& client) override { return host_.claim(peer, client); }
  void handshake_failed(const Address& client, tls::HandshakeFailure failure) override {
    host_.handshake_failed(client, failure);
  }
  void http2_failed(const Address& client, const char* rule) override { host_.http2_failed(client, rule); }
  std::shared_ptr<Http2Shared> http2_shared() override;
  void tls_closed() override;
  const std::shared_ptr<const tls::Policies>& policies() const override { return policies_; }
  void settled() override { judge_drain(); }
  void close_idle(bool fresh_too);
  void judge_drain();
  void continue_drain();
  void cut_short();
  void end_drain();
  void sweep_later();
  void sweep();
  void shed();
  void trim_later();
  void trim();
  void give_back_spare();
  std::size_t trim_connections();
  static void return_memory(std::size_t freed);
  std::vector<MemoryScan::Part> memory_parts();
  void look_at_rest(stats::MemoryTally& tally) const;

  bool trims_ = true;  // false: this object is being destroyed
  engine::Timer trim_, sweep_, relieve_again_;
  ShardHost& host_;
  ShardOptions options_;
  engine::BufferPool buffers_;
  std::unique_ptr<engine::Engine> engine_;
  Outbox outbox_;
  std::unique_ptr<http::RequestHead> request_scratch_;
  std::unique_ptr<http::ResponseHead> response_scratch_;
  ShardContext shard_context_;
  Backends backends_;
  TableViews tables_;
  Recorder recorder_;
  NetworkSet trusted_proxies_{options_.settings.trusted_proxies, options_.settings.trusts_unix_peers};
  ExchangeContext context_;
  TransactionPool transactions_{context_, *request_scratch_, [this] { trim_later(); }};
  Prober prober_;
  Door door_{*this, Opening::request}, proxied_door_{*this, Opening::proxy_header}, tls_door_{*this, Opening::tls};
  std::shared_ptr<const tls::Policies> policies_;
  std::vector<int> secured_;            // listeners; they are watched once there is a certificate
  std::size_t freed_by_tls_ = 0;        // bytes since the last trim, approximately
  std::shared_ptr<Http2Shared> http2_;  // for heads of the size that the newest table allows; none before the first
  engine::ObjectStore<Downstream> downstreams_{[this] { trim_later(); }};
  bool listening_ = false;
  // Times of a drain: new idle clients are closed; tunnels end; everything is cut.
  TimePoint fresh_until_ = kNever, end_tunnels_at_ = kNever, drain_until_ = kNever;
  engine::Timer drain_step_;
  MemoryScan scan_{*engine_, memory_parts()};
  bool drained_ = false;
};

}  // namespace gray::proxy
