#pragma once
// One connection to a worker: the HTTP/1.1 client side of an exchange. Bytes from the engine become events of the
// exchange, and its calls become bytes. Idle in the pool it only watches for the peer's FIN. Upgraded, it passes all
// bytes on unparsed.
#include "config/shared/segment.hpp"
#include "router/backends/connection_owner.hpp"
#include "router/backends/shard_context.hpp"
#include "router/backends/worker_side.hpp"
#include "router/upstream/idle_pool.hpp"
#include "router/wire/body.hpp"
#include "router/wire/forwarding.hpp"

namespace gray::proxy {

/// The units of a worker's limits that a connection holds.
struct Units {
  bool socket = true;
  bool tunnel = false;  // beside it until the worker sends 101, then instead of it
};

class Upstream final : public engine::StreamHandler, public upstream::IdleLink<Upstream>, public WorkerSide {
 public:
  /// `scratch` holds one parsed head at a time, for all connections of the thread: a head is large and short-lived.
  Upstream(ShardContext shard, http::ResponseHead& scratch, ConnectionOwner& owner, segment::WireCounts& counts);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  void open(Worker& worker, segment::WorkerCell& cell, engine::StreamId stream, bool connecting);
  void attach(WorkerEvents& exchange);
  void detach();  // resets its state, ready for the pool
  Worker& worker() const override { return *worker_; }
  engine::StreamId stream() const { return stream_; }
  bool idle() const { return exchange_ == nullptr; }
  Units& units() { return units_; }
  bool tunnelled() const { return phase_ == Phase::tunnel; }
  /// Sends unsent bytes, then FIN, each for at most `within`; drops received bytes, and closes after the worker's FIN.
  void leave_tunnel(Duration within);
  /// Closes a socket that leave_tunnel() left open.
  void cut_short() { shard_.engine.close(stream_); }
  /// Whether close() or leave_tunnel() was called.
  bool ending() const { return phase_ == Phase::ending; }
  void close();
  /// Detaches the connected socket for a neighbour: see Backends::released().
  void give_away();
  void end_tunnel(segment::Reason reason);
  /// What it holds, for reports: all of it; nothing: it has no socket.
  engine::StreamMemory memory(bool with_kernel) const override;
  /// Only while it is not idle().
  void version_withdrawn() { exchange_->version_withdrawn(); }

 private:
  enum class Phase : std::uint8_t { http, tunnel, ending };
  /// The request.
  struct Asked {
    http::Method method = http::Method::get;
    bool chunked = false;  // as its body is sent
    bool wants_trailers = false;
    bool complete = false;
    bool sent = false;          // a part of it
    std::string_view upgrade;   // protocols that were offered, in the client side's bytes
    http::HeadLimits limits{};  // of the answer
  };
  /// The state of its answer.
  struct Answer {
    std::size_t searched = 0;  // of a head that is not complete
    std::uint32_t interims = 0;
    bool held = false;       // the head has been held back long enough
    bool passed_on = false;  // a part of it
    bool expedited = false;  // what came of it was acknowledged
    bool in_body = false;
    bool keep_alive = false;  // as the head says
    bool reusable = false;    // keep_alive, and it has ended cleanly
  };

  // WorkerSide
  bool connecting() const override { return connecting_; }
  void send_head(const http::Request& head, const http::RequestExtras& extras, const http::HeadLimits& limits) override;
  void send_data(std::string_view payload) override;
  void send_end() override;
  void send_raw(std::string_view bytes) override { shard_.outbox.append(stream_, bytes); }
  void finish() override { shard_.engine.finish(stream_); }
  void abort() override { shard_.engine.abort(stream_); }
  void pause() override { shard_.engine.pause(stream_, engine::Pause::sink_full); }
  void resume() override { shard_.engine.resume(stream_, engine::Pause::sink_full); }
  bool backed_up() const override { return shard_.engine.unsent(stream_) > 0; }
  std::size_t takes() const override { return shard_.engine.takes(stream_); }
  std::optional<std::uint64_t> rest() const override;
  bool reused() const override { return reused_; }
  bool sent() const override { return asked_.sent; }
  bool may_have_arrived() const override;
  bool answered() const override { return answer_.passed_on; }
  segment::Speaks speaks() const override { return cell_->speaks.load(std::memory_order_relaxed); }
  void release() override;
  void discard(bool suspect) override;
  void leave(Duration within) override;

  void on_connected(int error) override;
  void on_stranger(const PeerOwner& found) override;
  void on_data(std::string_view bytes) override;
  std::size_t read_size() override {
    if (idle()) return engine::kMinRead;
    return answer_.in_body ? body_.read_for(exchange_->answer_room()) : exchange_->answer_room();
  }
  void on_end() override;
  void on_writable() override;
  void on_failed(int error) override;
  void on_peer_closing(bool reset) override;
  void on_closed() override;
  void on_released(int fd) override;

  std::size_t take(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  std::size_t refuse(const http::Fault& fault, std::string_view bytes);
  void end_answer(bool more_came);
  bool take_trailers(const http::BodyDecoder::Step& step);
  std::size_t take_upgrade(const http::ResponseHead& head, std::string_view bytes);
  void take_partial();
  void expedite_rest();
  void note_version(http::Version version);
  bool hold_back(const http::ResponseHead& head, std::string_view bytes);
  bool store(std::string_view bytes);
  void broke(segment::Reason reason);
  void settle();

  ShardContext shard_;
  http::ResponseHead& scratch_;
  ConnectionOwner& owner_;
  segment::WireCounts& counts_;
  Worker* worker_ = nullptr;
  segment::WorkerCell* cell_ = nullptr;
  WorkerEvents* exchange_ = nullptr;
  engine::StreamId stream_;
  engine::Buffer partial_;   // bytes of a head that is not complete, or is held back
  engine::Buffer trailers_;  // a trailer section that came in pieces
  engine::Timer hold_;
  Units units_;
  Phase phase_ = Phase::http;
  bool connecting_ = false;
  bool reused_ = false;  // has served before: it may be stale
  Asked asked_;
  Answer answer_;
  http::BodyDecoder body_;  // of the answer, once answer_.in_body
};

}  // namespace gray::proxy
