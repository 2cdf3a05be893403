#pragma once
// One client connection: the HTTP/1.1 server side. Bytes become requests, one at a time; answers become bytes.
//
// Model: `greeting` (only where the listener asks for it) gathers a PROXY header, which says who the client is and is
// not HTTP; `head` gathers a request head, `body` feeds the exchange as long as a worker takes bytes, `busy` waits for
// the end of the answer; `tunnel` passes everything on, unparsed. What was read beyond that waits in the inbox, and the
// engine reads no more: pipelined requests are answered in order, and the inbox is bounded by one read and one head.
//
// Invariants
//  - After a fault of framing, or an answer before the request was read whole, no further byte is taken for a request:
//  the
//    answer says close, then the connection lingers so that the client can read it.
//  - An idle connection holds no buffer.
//  - A client that is waited for, for its body or to take its answer, is looked at about once a second; nobody else is.
#include <string>

#include "router/proxy/answer_writer.hpp"
#include "router/proxy/client_watch.hpp"
#include "router/proxy/exchange.hpp"
#include "router/proxy/kept_head.hpp"
#include "router/wire/body.hpp"

namespace gray::proxy {

/// Who keeps the connections of a thread.
class DownstreamOwner {
 public:
  /// The connection is closed; its memory may be used again.
  virtual void gone(class Downstream& downstream) = 0;
  /// The connection of `peer` is one of `client`, as a PROXY header says. False: it has as many as it may.
  virtual bool claim(const Address& peer, const Address& client) = 0;
  /// While the router drains: a connection is idle, or a tunnel, since now.
  virtual void settled() = 0;

 protected:
  ~DownstreamOwner() = default;
};

/// What the first bytes of a connection are: its listener decides.
enum class Opening : std::uint8_t { request, proxy_header };

class Downstream final : public engine::StreamHandler, public ClientSide {
 public:
  Downstream(ExchangeContext& context, http::RequestHead& scratch, DownstreamOwner& owner);

  /// Takes a new connection. False: the engine could not watch it, the fd is closed.
  bool open(int fd, const Address& peer, Opening opening);
  /// The client as far as anybody knows: the socket's peer, or whom its PROXY header named.
  const Address& peer() const { return peer_.address; }
  /// Not closed, nor about to be.
  bool is_open() const { return phase_ != Phase::closing; }
  /// Between two requests, or before the first one.
  bool idle() const { return phase_ <= Phase::head && !inbox_; }
  bool fresh() const { return served_ == 0; }
  /// Ends what goes on after an upgrade; nothing else.
  void end_tunnel(segment::Reason reason) {
    if (phase_ == Phase::tunnel) exchange_.end_tunnel(reason);
  }
  /// Breaks off what is going on and closes, without waiting for the client to take what it is still sent.
  void shut();

 private:
  enum class Phase : std::uint8_t { greeting, head, body, busy, tunnel, closing };
  /// A head that comes in pieces.
  struct Arrival {
    TimePoint since{};         // none: between requests
    std::size_t searched = 0;  // no end before here
    std::size_t parse_at = 0;  // the size at which it is read again anyway
    bool began() const { return since != TimePoint{}; }
  };
  /// Whom the connection comes from.
  struct Peer {
    Address address;
    std::string ip;
    bool trusted = false;
  };

  // engine::StreamHandler
  void on_connected(int) override {}
  void on_data(std::string_view bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_failed(int) override { shut(); }
  void on_peer_closing(bool reset) override;
  void on_closed() override;

  // ClientSide
  const http::Request& request() override { return head_.read(); }
  void continue_request() override { answer_.go_on(); }
  void interim(const http::Response& head) override { answer_.interim(head); }
  void start_response(const http::Response& head, const http::ResponseExtras& extras) override;
  void response_data(std::string_view payload) override { answer_.data(payload); }
  void response_trailers(std::string_view section) override { answer_.trailers(section); }
  void open_tunnel(const http::Response& head, const http::ResponseExtras& extras) override;
  void finish() override { engine().finish(stream_); }
  void end_response(bool close) override;
  void answer(const http::LocalAnswer& answer) override;
  void done() override;
  void cut() override;
  void body_wanted() override;
  bool backed_up() const override { return engine().unsent(stream_) > engine::kHighWatermark; }
  void fell_behind() override {
    if (phase_ != Phase::tunnel) watch();  // nobody is waited for there
  }
  bool behind() const override { return watch_.on() && engine().unsent(stream_) > 0; }
  void pause_body() override;
  void resume_body() override { engine().resume(stream_, engine::Pause::sink_full); }

  void know(const Address& peer);
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
  void watch() {
    if (watch_.begin()) look();
  }
  void look();
  void silent();
  bool too_slow(bool uploads);
  void arm(Duration after) { engine().timers().arm(timer_, engine().now() + after); }
  bool is_last() const;
  ClientInfo client() const;
  /// When the present head began to come.
  TimePoint began() const { return arrival_.began() ? arrival_.since : engine().now(); }
  engine::Engine& engine() const { return context_.shard.engine; }

  ExchangeContext& context_;
  DownstreamOwner& owner_;
  engine::StreamId stream_;
  engine::Timer timer_;
  Phase phase_ = Phase::closing;
  bool taking_ = false;       // in take_all(): what the exchange wants is seen by its loop
  bool close_after_ = false;  // the present answer is the last one
  bool reset_input_ = false;  // request bytes are unread: linger
  bool keep_alive_ = true;    // as the request asked
  std::uint64_t served_ = 0;
  Arrival arrival_;
  engine::Buffer inbox_;
  KeptHead head_;  // of the present request
  http::BodyDecoder body_;
  AnswerWriter answer_;
  ClientWatch watch_;
  Peer peer_;
  Exchange exchange_;
};

}  // namespace gray::proxy
