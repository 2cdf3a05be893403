#pragma once
// The HTTP/2 side of a client connection: its streams are requests, each with an exchange of its own. A Downstream owns
// it from the moment that the protocol is known, and passes on the events of its stream.
//
// Model: h2::ServerMachine turns bytes into requests and answers into frames. This connects its streams with exchanges,
// and keeps the payload that the windows of the client do not allow yet.
//
// Invariants
//  - Reading is never paused because payload waits: the WINDOW_UPDATE that it waits for may be in the unread bytes.
//    Instead a request whose payload waits takes no more from its worker.
//  - What is kept for a stream is bounded: its body by the window of 64 KiB, its answer by engine::kMaxUnsent.
//  - The frames of payload go round robin among the streams, and only while less than kHighWatermark is unsent.
//  - A stream is released once its exchange has ended and its answer is framed.
// One thread.
#include <memory>
#include <vector>

#include "router/downstream/http2_request.hpp"
#include "router/h2/send_schedule.hpp"
#include "router/h2/server_machine.hpp"
#include "router/stats/memory_tally.hpp"

namespace gray::proxy {

/// What the HTTP/2 connections of a thread share.
class Http2Shared {
 public:
  explicit Http2Shared(const http::HeadLimits& limits) : rooms(limits) {}
  h2::HeadRoom rooms;
  h2::StreamPool streams;
  Http2Request* take();
  /// It is kept, not freed: the call may come from one of its own functions.
  void give_back(Http2Request& request) { unused_.emplace_back(&request); }
  /// Frees a half of what is unused above kKept; the bytes. Not within a call of a request.
  std::size_t trim();
  bool has_surplus() const { return unused_.size() > kKept; }
  static constexpr std::size_t kKept = 64;

 private:
  std::size_t made_ = 0;  // requests that live, used or not
  std::vector<std::unique_ptr<Http2Request>> unused_;
};

class Http2 final : public h2::ServerVisitor, private h2::Output {
 public:
  /// What it needs of its connection.
  class Host {
   public:
    virtual ExchangeContext& context() const = 0;
    virtual TransactionPool& transactions() const = 0;
    /// `authority`: the host that the request is for.
    virtual ClientInfo client_of(std::string_view authority) const = 0;
    /// The client broke a rule of HTTP/2.
    virtual void http2_error(const char* rule) = 0;
    /// Whether it has requests, or a client is to be watched, may have changed.
    virtual void http2_changed() = 0;
    /// Nothing more is to be served: the connection is to be closed once everything is sent.
    virtual void http2_over() = 0;

   protected:
    ~Host() = default;
  };
  Http2(Host& host, std::shared_ptr<Http2Shared> shared, engine::StreamId stream);
  ~Http2();
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

  // Events of the connection. Each may end with Host::http2_over().
  void receive(std::string_view bytes);
  void on_writable();
  /// About eight times a second while watches(): how fast clients take what waits for them.
  void sample();
  bool watches() const;
  /// The client is gone: ends all requests.
  void shut();
  /// No new requests: GOAWAY in two steps.
  void begin_drain();
  void finish_drain();
  bool draining() const { return machine_.draining(); }
  void end(h2::ErrorCode code, const char* rule);
  std::size_t requests() const { return machine_.open_streams(); }
  bool greeted() const { return machine_.greeted(); }
  /// Bytes that it holds, its requests included.
  std::size_t memory() const;
  /// Of these, what its requests keep because it could not be passed on yet.
  std::size_t kept() const;
  /// Requests so far.
  std::uint32_t served() const { return served_; }

  // For its requests.
  Host& host() const { return host_; }
  h2::ServerMachine& machine() { return machine_; }
  engine::Engine& engine() const { return host_.context().shard.engine; }
  engine::StreamId stream() const { return stream_; }
  std::string_view date() const;
  /// Payload of this stream waits for the client.
  void payload_waits(h2::Stream& stream) { schedule_.add(stream); }
  /// The exchange has ended, and the answer is framed.
  void release(Http2Request& request, h2::Stream& stream);
  /// Whether so much is unsent that on_writable() will come.
  bool full();
  /// Bytes that the socket has not taken.
  std::size_t unsent() const override { return engine().unsent(stream_) + outbox().gathered(stream_); }

 private:
  // h2::ServerVisitor
  void on_request(h2::Stream& stream, std::string_view head, bool end_stream) override;
  void on_refused(h2::Stream& stream, const h2::Refusal& refusal, bool end_stream) override;
  void on_data(h2::Stream& stream, std::string_view payload, bool end_stream) override;
  void on_trailers(h2::Stream& stream, std::string_view section) override;
  void on_reset(h2::Stream& stream, h2::ErrorCode code) override;
  void on_window(h2::Stream& stream) override;
  void on_connection_window() override { pumps_ = true; }
  void on_goaway(h2::ErrorCode) override { machine_.finish_drain(); }
  void on_connection_error(h2::ErrorCode code, const char* rule) override;
  // h2::Output
  char* room(std::size_t bound) override { return outbox().room(stream_, bound); }
  void commit(std::size_t length) override { outbox().commit(length); }
  void append(std::string_view bytes) override { outbox().append(stream_, bytes); }

  Outbox& outbox() const { return host_.context().shard.outbox; }
  static Http2Request* request_of(const h2::Stream& stream) { return static_cast<Http2Request*>(stream.user); }
  Http2Request* begin(h2::Stream& stream);
  void pump();
  void settle();
  template <typename Visit>
  void each_request(Visit visit);

  Host& host_;
  std::shared_ptr<Http2Shared> shared_;
  engine::StreamId stream_;
  h2::ServerMachine machine_;
  h2::SendSchedule schedule_;
  std::uint32_t served_ = 0;
  bool pumps_ = false;  // windows were opened
  bool in_event_ = false, told_over_ = false;
};

}  // namespace gray::proxy
