#pragma once
// One request and its answer: performs the actions of exchange_machine, between a client side and a worker's
// connection. It handles messages only, no sockets and no HTTP/1 bytes: a new protocol, or TLS, is a new kind of side.
// What follows an upgrade is the Tunnel's (tunnel.hpp).
//
// The life of a request: begin() routes and decides; acquire asks Backends for a socket; the original head is kept
// by the client side until the exchange ends, so that an attempt can be repeated; every outcome is counted once, in
// conclude().
#include <array>
#include <memory>
#include <utility>

#include "config/shared/memory_report.hpp"
#include "router/backends/backends.hpp"
#include "router/backends/shard_context.hpp"
#include "router/backends/worker_side.hpp"
#include "router/engine/buffer_pool.hpp"
#include "router/policy/decision.hpp"
#include "router/policy/min_rate.hpp"
#include "router/policy/retry.hpp"
#include "router/policy/slow_clients.hpp"
#include "router/proxy/client_side.hpp"
#include "router/proxy/date_clock.hpp"
#include "router/proxy/exchange_machine.hpp"
#include "router/proxy/kept_answer.hpp"
#include "router/proxy/recorder.hpp"
#include "router/proxy/replay_body.hpp"
#include "router/proxy/request_routing.hpp"
#include "router/proxy/router_answer.hpp"
#include "router/proxy/table_view.hpp"
#include "router/proxy/tunnel.hpp"

namespace gray::proxy {

/// What the exchanges of one thread share.
struct ExchangeContext {
  ShardContext shard;
  Backends& backends;
  TableViews& tables;
  Recorder& recorder;
  const RouterSettings& settings;
  const NetworkSet& trusted_proxies;  // of the settings
  Duration rate_window = policy::kRateWindow;
  bool draining = false;
  policy::SlowClients slow_clients{};
  policy::AnswerCookies cookies{};                                        // scratch
  std::unique_ptr<http::ResponseHead> kept_head{new http::ResponseHead};  // scratch for KeptAnswer
  DateClock date{};
};

/// The current attempt, and facts of the previous one.
struct Attempt {
  WorkerSide* side = nullptr;
  Worker* worker = nullptr;       // of the latest attempt; counted in its in_flight, so it stays
  std::uint64_t avoid = 0;        // generation of the worker that failed
  bool fresh_only = false;        // the last attempt met a stale socket
  std::uint32_t undelivered = 0;  // attempts that reached no program, although they were sent
  bool withdrawn = false;         // the users of the version were taken away: the deadline sends it to stable
  bool worker_behind = false;     // it takes the body more slowly than the client sends it
  std::size_t dropped = 0;        // of an answer that is not sent
};

/// What an exchange holds beside its client's connection, for reports. Views and pointers stay valid until it goes on.
struct ExchangeMemory {
  bool queued = false, tunnel = false;
  WaitsFor waits_for = WaitsFor::next_request;
  std::optional<std::uint32_t> row;  // of its version
  std::size_t process = 0;           // bytes of its buffers
  const Worker* worker = nullptr;    // none: it has no socket
  engine::StreamMemory side;         // of the connection to it
  const Address* client = nullptr;   // who sent the request
  std::string_view path;             // empty: not known
  TimePoint since{};
};

class Exchange final : private WorkerSeeker {
 public:
  explicit Exchange(ExchangeContext& context);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Before begin() and refuse(): whose request it is.
  void serve(ClientSide& client) {
    client_ = &client;
    tunnel_.serve(client);
  }

  // From the client side.
  void begin(const RequestFacts& request, const ClientInfo& client, TimePoint started);
  /// Answers bytes that are not a valid request.
  void refuse(const http::Fault& fault, const ClientInfo& client, TimePoint started);
  bool active() const { return state_ != State::idle; }
  bool wants_body() const { return accepts_body_; }
  /// The exchange waits for the client's body.
  bool awaits_body() const { return accepts_body_ && !attempt_.worker_behind && !expects_100_; }
  void request_data(std::string_view payload);
  void request_end();
  /// The request body is broken or too large.
  void request_fault(segment::Reason reason, const http::Fault& fault);
  void client_gone() { feed(Event::client_gone, segment::Reason::client_gone); }
  /// The client has sent FIN: it may still read its answer, or it may have left.
  void client_closing();
  void client_drained();
  /// The client is slower than it may be.
  void client_slow(segment::Reason reason, const http::Fault& fault);
  /// The router is short of memory, and this request holds much.
  void give_up_memory();
  /// The client moves so many bytes per second; nothing: it is not waited for any more.
  void client_pace(std::optional<std::uint64_t> rate);
  bool gathers() const { return state_ == State::gathering; }
  /// How many bytes of the body may be read at once: what the worker takes.
  std::size_t body_read() const;
  /// The bytes of the body that may be given to request_data() now.
  std::size_t body_room() const { return gathers() ? policy::kReplayBytes - replay_.view().size() : SIZE_MAX; }
  const Limits& limits() const { return routing_.limits(); }
  /// Only while it is active.
  ExchangeMemory memory(bool with_kernel) const;
  std::uint64_t moved() const { return record_.counts.bytes_in + record_.counts.bytes_out; }
  /// In a tunnel: bytes of the client, and its FIN.
  void client_bytes(std::string_view bytes);
  void client_ended() {
    if (tunnel_.client_ended()) feed(Event::response_end);
  }
  void version_withdrawn() override;
  /// The tunnel's time is up.
  void end_tunnel(segment::Reason reason) override;
  /// After what an event gathered has been sent: pauses whichever side is ahead of the other.
  void balance() override;

 private:
  // WorkerSeeker
  bool wants_tunnel() const override { return !request_.upgrade.empty(); }
  bool repeats() const override { return attempt_.worker != nullptr; }
  void granted(WorkerSide& side) override;
  void exhausted() override;
  void shed() override;
  void exhausted_tunnels() override;
  bool client_was_cut() const override {
    return context_.slow_clients.contains(routing_.client(), context_.shard.engine.now());
  }

  // SlowRequest
  void cut_as_slow() override;

  // WorkerEvents
  void connected() override { feed(Event::connected); }
  void failed(segment::Reason reason) override { feed(Event::failed, reason); }
  void interim(const http::Response& head) override;
  void response_head(const http::Response& head) override {
    if (routing_.is_shared_asset() && routing_.lacks(head)) return begin_drop(head);
    feed(Event::response_head, head);
  }
  void response_data(std::string_view payload) override;
  void response_trailers(std::string_view section) override {
    if (state_ != State::dropping) client_->response_trailers(section);
  }
  void response_end() override;
  void upgraded(const http::Response& head, std::string_view protocol) override {
    protocol_ = protocol;
    feed(Event::upgraded, head);
  }
  void worker_bytes(std::string_view bytes) override;
  void worker_ended() override {
    if (tunnel_.worker_ended()) feed(Event::response_end);
  }
  void worker_drained() override;
  std::size_t answer_room() override;
  void worker_fault(const http::Fault& fault) override { note(fault, segment::Side::upstream); }

  WaitsFor waits_for() const;
  void note(const http::Fault& fault, segment::Side side);
  void feed(Event event);
  void feed(Event event, segment::Reason reason) {
    record_.counts.reason = reason;
    feed(event);
  }
  void feed(Event event, const http::Response& head) {
    response_ = &head;
    feed(event);
    response_ = nullptr;
  }
  void act(Action action);
  [[gnu::noinline]] void act_rarely(Action action);
  void reset(const RequestFacts& request, const ClientInfo& client, TimePoint started);

  bool gathers_first() const;
  std::optional<std::uint64_t> rest_that_fits() const;
  bool is_small() const { return request_.length.value_or(UINT64_MAX) <= policy::kReplayBytes; }
  void gather();
  void acquire();
  void leave_queue() { context_.backends.leave_queue(*routing_.version(), *this); }
  void take(WorkerSide& side);
  [[gnu::noinline]] void send_request();  // act() would have to save registers for it
  void replay_body();
  void await_response() {
    accepts_body_ = false;
    arm(routing_.limits().request_timeout);
  }
  void judge();
  bool within_budget(segment::Reason failure);
  void begin_drop(const http::Response& head);
  void drop_answer();
  void drop_data(std::string_view payload);
  void ask_next();
  void send_kept();
  Event refusal() const;
  void wait_is_over();
  void leave_canary(segment::Reason reason);
  void go_to_stable(segment::Reason reason);
  void refuse(segment::Reason reason);
  policy::Attempt facts_of_attempt(bool arrived) const;
  void charge();
  void start_response();
  void begin_answer();
  void open_tunnel();
  void close_tunnel();
  void expire_tunnel();
  void left_tunnel();
  void finish(bool close);
  void reply();
  void answer_as_last_hop();
  void cut();
  void use_worker(Worker* worker);
  void drop_upstream(bool suspect) {
    leave_slow_share();
    if (std::exchange(attempt_.worker_behind, false)) client_->resume_body();
    std::exchange(attempt_.side, nullptr)->discard(suspect);
  }
  void leave_slow_share();
  void log_slow_client(segment::Reason reason);
  void conclude();
  void log_line();
  void on_deadline();
  /// The deadline of a request that waits for a socket.
  TimePoint waits_until() const { return queued_ + routing_.limits().queue_timeout; }
  void judge_half_closed();
  bool spill();
  /// Only ever moved later while a request lasts: the wheel stores that without touching a list.
  void arm(Duration after) { context_.shard.engine.timers().arm(deadline_, context_.shard.engine.now() + after); }
  Duration stall_limit() const;
  http::RequestExtras request_extras() const;
  std::string_view span() const { return {own_id_.data() + own_id_.size() - http::kSpanId, http::kSpanId}; }
  http::ResponseExtras response_extras() const;

  ExchangeContext& context_;
  ClientSide* client_ = nullptr;
  engine::Timer deadline_;
  State state_ = State::idle;

  ClientInfo info_;
  RequestFacts request_;
  RequestRouting routing_;
  ReplayBody replay_;
  KeptAnswer kept_;  // of an asset that its version does not have
  bool request_complete_ = false, accepts_body_ = false;
  bool half_closed_ = false;     // its client has sent FIN, while the request was complete
  bool expects_100_ = false;     // its client waits for 100 from the worker, and has sent nothing of its body
  bool was_slow_ = false;        // its client was slow while it held a socket
  std::array<char, 32> own_id_;  // its second half is our span, if the request is part of a trace
  std::string_view request_id_;
  Attempt attempt_;
  const http::Response* response_ = nullptr;  // during response_head() and upgraded() only
  std::string_view protocol_;                 // likewise
  Tunnel tunnel_;                             // in use in State::tunnel
  ExchangeRecord record_;                     // of it so far
  TimePoint queued_{};
  policy::RetryBudget* budget_ = nullptr;  // in which it counts as a repeated attempt
};

}  // namespace gray::proxy
