#pragma once
// One client connection: the HTTP/1.1 server side. Bytes become requests, one at a time; answers become bytes.
//
// Model: `handshake` (only with TLS) waits until the engine reports that the connection is secured, so nothing is
// parsed or routed before; `greeting` (only if the listener requires it) gathers a PROXY header, which names the
// client and is not HTTP; `head` gathers a request head; `body` feeds the exchange while a worker takes bytes; `busy`
// waits for the end of the answer; `tunnel` passes all bytes on unparsed; `http2` gives them to an Http2, which
// answers many requests at a time. Bytes read beyond that are kept in the inbox, and reading is paused: pipelined
// requests are answered in order, and the inbox is bounded by one read and one head.
//
// Invariants
//  - After a framing fault, or an answer before the request was read completely, no further byte is read as a request:
//    the answer has Connection: close, then the connection lingers so that the client can read it.
//  - An idle connection holds no buffer and no transaction.
//  - A client is sampled about once a second while the exchange waits for it (client_watch.hpp), and not otherwise.
#include <string>

#include "router/downstream/http2.hpp"
#include "router/downstream/transaction.hpp"
#include "router/stats/memory_tally.hpp"
#include "router/tls/session.hpp"

namespace gray::proxy {

/// The owner of the connections of a thread, and what they share.
class DownstreamOwner {
 public:
  DownstreamOwner(ExchangeContext& its_context, TransactionPool& pool) : context(its_context), transactions(pool) {}
  DownstreamOwner(const DownstreamOwner&) = delete;
  DownstreamOwner& operator=(const DownstreamOwner&) = delete;

  ExchangeContext& context;
  TransactionPool& transactions;
  /// The connection is closed; its memory may be used again.
  virtual void gone(class Downstream& downstream) = 0;
  /// A PROXY header says that the connection of `peer` is one of `client`. False: the client is beyond its limit.
  virtual bool claim(const Address& peer, const Address& client) = 0;
  /// A handshake has failed; `client` is known as far as the socket tells.
  virtual void handshake_failed(const Address& client, tls::HandshakeFailure failure) = 0;
  /// A connection with TLS is closed: OpenSSL has freed what it held.
  virtual void tls_closed() = 0;
  /// A client broke a rule of HTTP/2.
  virtual void http2_failed(const Address& client, const char* rule) = 0;
  /// What the HTTP/2 connections of the thread share.
  virtual std::shared_ptr<Http2Shared> http2_shared() = 0;
  /// Certificates, as new connections use them; null while there are none.
  virtual const std::shared_ptr<const tls::Policies>& policies() const = 0;
  /// While the router drains: a connection has just become idle, or a tunnel.
  virtual void settled() = 0;

 protected:
  ~DownstreamOwner() = default;
};

/// What a connection begins with: its listener decides.
enum class Opening : std::uint8_t { request, proxy_header, tls };

class Downstream final : public engine::StreamHandler, public ClientSide, private Http2::Host {
 public:
  explicit Downstream(DownstreamOwner& owner);
  ~Downstream();
  Downstream(const Downstream&) = delete;
  Downstream& operator=(const Downstream&) = delete;

  /// Takes a new connection. False: the engine could not watch it, the fd is closed.
  bool open(int fd, const Address& peer, Opening opening);
  /// The client as far as known: the socket's peer, or the client that the PROXY header named.
  const Address& peer() const { return peer_.address; }
  /// Neither closed nor closing.
  bool is_open() const { return phase_ != Phase::closing; }
  /// Between two requests, or before the first one.
  bool idle() const { return http2_ ? http2_->requests() == 0 : phase_ <= Phase::head && !inbox_; }
  bool fresh() const { return http2_ ? http2_->served() == 0 : served_ == 0; }
  /// For reports: adds what it holds, with its request. `with_kernel`: the buffers of its sockets too, and its place
  /// among the largest.
  void look(bool with_kernel, stats::MemoryTally& tally) const;
  /// Ends a tunnel; no effect on other connections.
  void end_tunnel(segment::Reason reason) {
    if (phase_ == Phase::tunnel) transaction_->exchange.end_tunnel(reason);
  }
  /// Bytes that are kept for it because they could not be passed on yet.
  std::size_t held_bytes() const {
    return engine().unsent(stream_) + inbox_.capacity() + (http2_ ? http2_->kept() : 0);
  }
  /// Gives its memory back, because the router has too little.
  void shed();
  /// An idle client is closed when it has been idle for `timeout`, if that is sooner.
  void hurry(Duration timeout);
  /// Closes an idle connection, once its client has taken the rest of its last answer.
  void retire();
  /// The router drains: an HTTP/2 client is told to send no further requests here.
  void begin_drain() {
    if (phase_ == Phase::http2) http2_->begin_drain();
  }
  /// Breaks off a request in progress and closes, without waiting for the client to take the unsent bytes.
  void shut() { is_active() ? transaction_->exchange.client_gone() : close_now(); }

  // For its Http2.
  ExchangeContext& context() const override { return owner_.context; }

 private:
  enum class Phase : std::uint8_t { handshake, greeting, head, body, busy, tunnel, http2, closing };
  /// The state of a head that comes in pieces.
  struct Arrival {
    TimePoint since{};           // none: between requests
    std::uint32_t searched = 0;  // no end before here
    std::uint32_t parse_at = 0;  // the size at which it is parsed again anyway
    bool began() const { return since != TimePoint{}; }
  };
  /// The client of the connection.
  struct Peer {
    Address address;
    std::string ip;
    bool trusted = false;
  };

  // engine::StreamHandler
  void on_connected(int) override {}
  void on_secured() override;
  void on_insecure() override;
  void on_data(std::string_view bytes) override;
  std::size_t read_size() override;
  void on_end() override;
  void on_writable() override;
  void on_failed(int) override;
  void on_peer_closing(bool reset) override;
  void on_closed() override;

  // ClientSide
  const http::Request& request() override { return transaction_->head.read(); }
  void continue_request() override { transaction_->answer.send_continue(); }
  void interim(const http::Response& head) override { transaction_->answer.interim(head); }
  void start_response(const http::Response& head, const http::ResponseExtras& extras) override;
  void response_data(std::string_view payload) override { transaction_->answer.data(payload); }
  void response_trailers(std::string_view section) override { transaction_->answer.trailers(section); }
  void open_tunnel(const http::Response& head, const http::ResponseExtras& extras) override;
  void finish() override { engine().finish(stream_); }
  void end_response(bool close) override;
  void answer(const http::LocalAnswer& answer) override;
  void done() override;
  void cut() override;
  void body_wanted() override;
  bool backed_up() const override { return engine().unsent(stream_) > 0; }
  std::size_t takes() const override { return engine().takes(stream_); }
  bool has_room(std::uint64_t bytes) const override {
    return engine().unsent(stream_) + bytes <= engine::kMaxUnsent && !presses(policy::MemoryLevel::shrink);
  }
  void fell_behind() override {
    if (phase_ != Phase::tunnel && transaction_->watch.begin()) sample();  // min_rate does not apply to tunnels
  }
  bool behind() const override { return transaction_->watch.on() && engine().unsent(stream_) > 0; }
  void pause_body() override;
  void resume_body() override { engine().resume(stream_, engine::Pause::sink_full); }

  void report(MemoryHolder holder, const ExchangeMemory& exchange, bool with_kernel, stats::MemoryTally& tally) const;
  WaitsFor waits_for(const engine::StreamMemory& own) const;
  TimePoint idle_since() const;
  /// Not a byte of the next request.
  bool nothing_came() const { return !arrival_.began() && !inbox_; }
  bool is_active() const { return transaction_ != nullptr && transaction_->exchange.active(); }
  /// Takes a transaction if there is none. False: there is no memory for it, and the client was turned away.
  bool begun();
  void end_transaction();
  // Http2::Host
  TransactionPool& transactions() const override { return owner_.transactions; }
  ClientInfo client_of(std::string_view authority) const override { return client(authority); }
  void http2_error(const char* rule) override { owner_.http2_failed(peer_.address, rule); }
  void http2_changed() override;
  void http2_over() override;

  void begin_http2();
  bool may_be_http2(std::string_view bytes) const;
  void on_http2_timer();
  void set_peer(const Address& peer);
  std::unique_ptr<tls::Session> session();
  bool is_misdirected(std::string_view authority) const;
  void end_handshake(tls::HandshakeFailure failure);
  void take_all();
  bool must_wait();
  std::size_t take(std::string_view bytes);
  bool worth_parsing(std::string_view bytes);
  std::size_t take_greeting(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  void begin_request();
  std::size_t take_body(std::string_view bytes);
  void body_fault(segment::Reason reason, const http::Fault& fault);
  bool store(std::string_view bytes);
  void refuse(const http::Fault& fault);
  void no_memory();
  void next_request();
  void close_gently();
  void close_now();
  void on_timer();
  void sample();
  void on_answer_sent();
  void on_idle_timeout();
  ClientWatch::Verdict look(bool uploads, std::uint64_t moved);
  void arm(Duration after) { engine().timers().arm(timer_, engine().now() + after); }
  bool is_last() const;
  bool presses(policy::MemoryLevel level) const { return context().shard.memory.at_least(level); }
  Duration idle_timeout() const;
  ClientInfo client(std::string_view authority = {}) const;
  /// When the first bytes of the current head came.
  TimePoint began() const { return arrival_.began() ? arrival_.since : engine().now(); }
  engine::Engine& engine() const { return context().shard.engine; }

  DownstreamOwner& owner_;
  engine::StreamId stream_;
  tls::Session* tls_ = nullptr;  // of the stream
  engine::Timer timer_;
  Phase phase_ = Phase::closing;
  bool taking_ = false;       // in take_all(): no re-entry, its loop continues by itself
  bool close_after_ = false;  // the current answer is the last one
  bool reset_input_ = false;  // request bytes are unread: linger
  bool keep_alive_ = true;    // as the request asks
  bool http2_idle_ = false;   // it had no request when its timer was set
  bool http2_greeted_ = false;
  TimePoint http2_drains_{};  // since when; none: it does not
  std::uint32_t served_ = 0;  // requests; stays at its largest value
  Arrival arrival_;
  engine::Buffer inbox_;
  std::unique_ptr<Transaction>
      transaction_;  // of the current request; an answer that the client still reads may keep one
  std::unique_ptr<Http2> http2_;
  Peer peer_;
};

}  // namespace gray::proxy
