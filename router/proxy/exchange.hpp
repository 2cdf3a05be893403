#pragma once
// One request and its answer: carries out what exchange_machine says, between a client side and a worker's connection.
// It knows no socket and no HTTP/1 bytes, only messages: another protocol, or TLS, is another side.
//
// The life of a request: begin() routes and decides; acquire asks Backends for a socket; the original head is kept
// until the exchange ends, so that an attempt can be repeated and the log line can name it; every outcome is counted
// once, in conclude().
#include <array>
#include <optional>

#include "router/engine/buffer_pool.hpp"
#include "router/http/forwarding.hpp"
#include "router/policy/decision.hpp"
#include "router/policy/min_rate.hpp"
#include "router/proxy/backends.hpp"
#include "router/proxy/exchange_machine.hpp"
#include "router/proxy/table_view.hpp"
#include "router/proxy/tunnel.hpp"
#include "router/proxy/upstream.hpp"

namespace gray::proxy {

class Recorder;

/// Where the request came from and where its answer goes. The exchange never calls it after done() or cut().
class ClientSide {
 public:
  virtual void interim(const http::ResponseHead& head) = 0;
  virtual void start_response(const http::ResponseHead& head, const http::ResponseExtras& extras) = 0;
  virtual void response_data(std::string_view payload) = 0;
  /// The trailer section of an answer in chunks, to a client that asked for it.
  virtual void response_trailers(std::string_view section) = 0;
  /// Upgraded: `head` is the 101, and from now on every byte of the client is given to client_bytes().
  virtual void open_tunnel(const http::ResponseHead& head, const http::ResponseExtras& extras) = 0;
  /// Nothing more is said to the client, which may go on.
  virtual void finish() = 0;
  /// The answer is complete. `close`: request bytes are unread, no further request can be understood.
  virtual void end_response(bool close) = 0;
  /// An answer of the router; `close` of it as above.
  virtual void answer(const http::LocalAnswer& answer) = 0;
  /// The exchange is over and its memory free for the next request.
  virtual void done() = 0;
  /// Breaks the connection off: what was sent must not look complete.
  virtual void cut() = 0;
  /// A worker takes the request body from now on.
  virtual void body_wanted() = 0;
  virtual bool backed_up() const = 0;
  /// It was found backed up: from now on it is waited for, and held to `min_rate`.
  virtual void fell_behind() = 0;
  /// It is, and has something to take.
  virtual bool behind() const = 0;
  virtual void pause_body() = 0;  // the worker has too much unsent
  virtual void resume_body() = 0;

 protected:
  ~ClientSide() = default;
};

/// What the exchanges of one thread share.
struct ExchangeContext {
  Plumbing plumbing;
  Backends& backends;
  TableViews& tables;
  Recorder& recorder;
  const RouterSettings& settings;
  Duration rate_window = policy::kRateWindow;
  bool draining = false;
};

/// Who sent it, as the connection knows it.
struct ClientInfo {
  const Address* peer = nullptr;
  std::string_view ip;   // of the peer; empty for a unix socket
  bool trusted = false;  // the peer is a trusted proxy
};

class Exchange final : public upstream::Waiter {
 public:
  Exchange(ExchangeContext& context, ClientSide& client);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // From the client side.
  /// `head_bytes` is a whole head, a copy of the bytes that request_scratch of the plumbing has just been parsed from.
  void begin(engine::Buffer head_bytes, const ClientInfo& client, TimePoint started);
  /// An answer by us to what is no request.
  void refuse(const http::Fault& fault, const ClientInfo& client, TimePoint started);
  bool active() const { return state_ != State::idle; }
  bool wants_body() const { return accepts_body_; }
  /// The client is the one that everybody waits for.
  bool awaits_body() const { return accepts_body_ && !worker_behind_; }
  void request_data(std::string_view payload);
  void request_end();
  /// The request body is broken or too large.
  void request_fault(segment::Reason reason, const http::Fault& fault);
  void client_gone();
  /// The client has said FIN.
  void client_closing();
  void client_drained();
  /// The client is slower than `min_rate` allows.
  void client_slow(const http::Fault& fault);
  std::uint64_t min_rate() const { return limits().min_rate; }
  std::uint64_t moved() const { return bytes_in_ + bytes_out_; }
  /// In a tunnel: bytes of the client, and its FIN.
  void client_bytes(std::string_view bytes);
  void client_ended();
  /// The tunnel's time is up.
  void end_tunnel(segment::Reason reason);
  std::uint64_t body_limit() const { return limits().body; }

  // From the worker's connection, and from Backends.
  void dequeued(Upstream& upstream);  // its turn came
  void starved();                     // its turn came, but this process has no descriptor left for a socket
  void connected() { feed(Event::connected); }
  void failed(segment::Reason reason);
  bool wants_tunnel() const { return !offered_.empty(); }
  void starved_of_tunnels();  // its turn came, but no worker has a tunnel left
  /// Whether this 101 answers what we asked.
  bool takes_upgrade(const http::ResponseHead& head) const;
  void upgraded(const http::ResponseHead& head);
  void worker_bytes(std::string_view bytes);
  void worker_ended();
  void interim(const http::ResponseHead& head) { client_.interim(head); }
  void response_head(const http::ResponseHead& head);
  void response_data(std::string_view payload);
  bool wants_trailers() const { return wants_trailers_; }
  void response_trailers(std::string_view section) { client_.response_trailers(section); }
  void response_end(bool reusable);
  void worker_drained();
  /// After what an event gathered has been sent: pauses whichever side is ahead of the other.
  void balance();
  /// A rule was broken by that side.
  void note(const http::Fault& fault, segment::Side side);
  http::HeadLimits head_limits() const { return {limits().head, limits().fields}; }
  http::Method method() const { return method_; }

 private:
  friend class Recorder;
  const Limits& limits() const;
  const VersionRoute& version_route() const { return service_->route->versions[choice_.version]; }
  void feed(Event event);
  void act(Action action);
  void reset(const ClientInfo& client, TimePoint started);
  std::string_view kept(std::string_view text, const http::RequestHead& head) const;
  segment::Reason route(const http::RequestHead& head);
  void trust(const http::RequestHead& head);
  segment::Reason admit(const http::RequestHead& head);
  void choose_version(const http::RequestHead& head);
  void enter_version();
  void leave_version();

  void acquire();
  void granted(Upstream& upstream);
  void send_request();
  void replay_body();
  void keep_for_replay(std::string_view payload);
  void await_response();
  void judge();
  void retry_elsewhere();
  void start_response();
  void begin_answer();
  segment::Reason no_tunnel();
  void open_tunnel();
  void close_tunnel();
  void part();
  void finish(bool close);
  void reply();
  void answer_as_last_hop();
  void say_continue();
  void cut();
  void forget();
  void use_worker(Worker* worker);
  void drop_upstream(bool suspect);
  void conclude();
  void on_deadline();
  void arm(Duration after);
  Duration stall_limit() const;
  http::RequestExtras request_extras() const;
  std::string_view span() const { return {own_id_.data() + own_id_.size() - http::kSpanId, http::kSpanId}; }
  http::ResponseExtras response_extras() const;

  ExchangeContext& context_;
  ClientSide& client_;
  engine::Timer deadline_;
  State state_ = State::idle;

  // Of the request.
  engine::Buffer head_;
  engine::Buffer replay_;  // the body so far, while a retry may need it
  bool parsed_ = false;    // request_scratch holds this request
  bool has_body_ = false, request_complete_ = false, accepts_body_ = false, replayable_ = true;
  bool wants_trailers_ = false;
  http::Method method_ = http::Method::get;
  std::uint8_t minor_ = 1;
  std::string_view method_text_, host_, path_;  // into head_
  std::string_view offered_;                    // likewise: the protocols of an upgrade that we forward
  std::array<char, 32> own_id_;                 // its second half is our span, if the request is part of a trace
  std::string_view trace_id_;                   // into head_; empty: it is not
  std::string_view request_id_;
  ClientInfo info_;
  Address client_address_;

  // Of the routing.
  TableView* view_ = nullptr;
  const policy::ServicePolicy* service_ = nullptr;
  Version* version_ = nullptr;
  policy::Choice choice_;

  // Of the attempt.
  Upstream* upstream_ = nullptr;
  const http::ResponseHead* response_ = nullptr;  // during response_head() only
  Worker* worker_ = nullptr;                      // of the latest attempt; counted in its in_flight, so it stays
  std::uint64_t avoid_ = 0;                       // generation of the worker that failed us
  bool fresh_only_ = false;                       // the last attempt met a stale socket
  segment::Reason reason_ = segment::Reason::none;
  http::Fault fault_;
  segment::Side fault_side_ = segment::Side::downstream;
  int status_ = 0;
  std::uint32_t retries_ = 0;
  bool reusable_ = false;
  bool worker_behind_ = false;  // it takes the body more slowly than the client sends it
  Tunnel tunnel_;               // in State::tunnel
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
  TimePoint started_{}, granted_{}, first_byte_{}, queued_{};
  Micros waited_{0};
};

}  // namespace gray::proxy
