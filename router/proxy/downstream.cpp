#include "router/proxy/downstream.hpp"

#include "router/policy/decision.hpp"
#include "router/wire/proxy_protocol.hpp"

namespace gray::proxy {

using http::BodyDecoder;
using segment::Reason;

namespace {

// Bytes read beyond a head must be kept while that request is answered: small reads bound them. Bodies are read larger.
constexpr std::size_t kHeadRead = 16 * 1024;
constexpr Duration kLinger{2'000};            // to read and drop what a refused client still sends
constexpr Duration kFlush{30'000};            // to take the rest of the last answer
constexpr std::string_view kScheme = "http";  // of a plain socket
constexpr http::Fault kUntrustedPeer{400, "PROXY", "this peer is not in router.trusted_proxies", 0};
constexpr http::Fault kTooManyConnections{503, "limit", "this client has reached its limit of connections", 0};
constexpr http::Fault kSlowProxyHeader{408, "PROXY", "the PROXY header did not arrive in time", 0};
constexpr http::Fault kSlowHead{408, "P8", "the request head did not arrive in time", 0};
constexpr http::Fault kSlowBody{408, "P8", "the request body arrives more slowly than min_rate", 0};
constexpr http::Fault kSlowReader{408, "P8", "the client reads the answer more slowly than min_rate", 0};
constexpr http::Fault kLargeBody{413, "P8", "the request body is larger than this service allows", 0};

}  // namespace

Downstream::Downstream(ExchangeContext& context, http::RequestHead& scratch, DownstreamOwner& owner)
    : context_(context),
      owner_(owner),
      timer_(this, [](void* self, TimePoint) { static_cast<Downstream*>(self)->on_timer(); }),
      head_(context.shard.buffers, scratch),
      answer_(context.shard.outbox, context.shard.engine, context.date),
      exchange_(context, *this) {}

void Downstream::set_peer(const Address& peer) {
  peer_.address = peer;
  peer_.ip = peer.ip_text();
  peer_.trusted = context_.trusted_proxies.contains(peer);
}

bool Downstream::open(int fd, const Address& peer, Opening opening) {
  set_peer(peer);
  phase_ = opening == Opening::proxy_header ? Phase::greeting : Phase::head;
  close_after_ = reset_input_ = taking_ = false;
  served_ = 0;
  arrival_ = {};
  stream_ = engine().adopt(fd, *this);
  answer_.open(stream_);
  engine().read_limit(stream_, kHeadRead);
  engine().count_write_errors(stream_, context_.backends.counters().wire().write_errors[0]);
  if (!stream_) {
    phase_ = Phase::closing;
    return false;
  }
  arm(context_.tables.current().head_timeout);
  // The permissions of its folder decide who may open a unix socket.
  if (phase_ == Phase::greeting && !peer_.trusted && peer.kind != Address::Kind::unix_path) refuse(kUntrustedPeer);
  return true;
}

ClientInfo Downstream::client() const {
  return {
      .peer = &peer_.address, .ip = peer_.ip, .trusted = peer_.trusted, .scheme = kScheme, .connection = stream_.index};
}

// ---- bytes from the client

void Downstream::on_data(std::string_view bytes) {
  if (!inbox_ && !taking_) {
    taking_ = true;
    const std::size_t taken = take(bytes);
    taking_ = false;
    if (taken < bytes.size() && is_open() && !store(bytes.substr(taken))) no_memory();
  } else if (store(bytes)) {
    take_all();
  } else {
    no_memory();
  }
  // While a failed attempt is repeated no worker takes the body: it stays in the client.
  if (phase_ == Phase::body && !exchange_.wants_body()) engine().pause(stream_, engine::Pause::waiting);
  context_.shard.outbox.flush();
  if (exchange_.active()) exchange_.balance();
}

bool Downstream::store(std::string_view bytes) {
  if (!context_.shard.buffers.reserve(inbox_, bytes.size(), stream_.index)) return false;
  inbox_.append(bytes);
  return true;
}

void Downstream::take_all() {
  if (taking_ || !inbox_) return;
  taking_ = true;
  const std::size_t taken = take(inbox_.view());
  taking_ = false;
  if (!inbox_) return;  // the connection was closed meanwhile
  inbox_.consume(taken);
  if (inbox_.size() == 0 || !is_open()) inbox_.reset();
}

// For a client that pipelines but does not read its answers: its next request is read only after on_writable().
bool Downstream::must_wait() {
  if (phase_ != Phase::head) return false;
  Outbox& outbox = context_.shard.outbox;
  if (outbox.gathered(stream_) + engine().unsent(stream_) <= engine::kHighWatermark) return false;
  outbox.flush();
  if (!backed_up()) return false;
  engine().pause(stream_, engine::Pause::busy);
  return true;
}

std::size_t Downstream::take(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && is_open() && !must_wait()) {
    std::size_t taken = 0;
    if (phase_ == Phase::tunnel) {
      exchange_.client_bytes(bytes.substr(done));
      return bytes.size();
    }
    if (phase_ == Phase::greeting) taken = take_greeting(bytes.substr(done));
    if (phase_ == Phase::head && taken == 0) taken = take_head(bytes.substr(done));
    if (phase_ == Phase::body && taken == 0) taken = take_body(bytes.substr(done));
    if (taken == 0) break;
    done += taken;
  }
  return done;
}

// Once for a connection. The header is short, so one that comes in pieces is simply parsed again.
std::size_t Downstream::take_greeting(std::string_view bytes) {
  http::ProxyHeader header;
  http::Fault fault;
  const http::Parse parsed = http::parse_proxy_header(bytes, header, fault);
  if (parsed == http::Parse::incomplete) return 0;
  if (parsed == http::Parse::fault) {
    refuse(fault);
    return 0;
  }
  phase_ = Phase::head;
  arm(context_.tables.current().head_timeout);
  if (context_.draining) owner_.settled();
  if (header.source) {
    const bool within = owner_.claim(peer_.address, *header.source);
    set_peer(*header.source);
    if (!within) refuse(kTooManyConnections);
  }
  return header.length;
}

// A head that comes in pieces is parsed again at its end, or when it has doubled: O(n) for pieces of any size.
bool Downstream::worth_parsing(std::string_view bytes) {
  if (!arrival_.began() || bytes.size() >= arrival_.parse_at) return true;
  return http::find_head_end(bytes, arrival_.searched) != 0 || bytes.size() >= context_.tables.current().head.bytes;
}

std::size_t Downstream::take_head(std::string_view bytes) {
  if (!worth_parsing(bytes)) return 0;
  TableView& table = context_.tables.current();
  const http::RequestHead& head = head_.scratch();
  http::Fault fault;
  switch (http::parse_request(bytes, table.head, head_.scratch(), fault)) {
    case http::Parse::fault: refuse(fault); return 0;
    case http::Parse::incomplete:
      if (!arrival_.began()) {
        arrival_.since = engine().now();  // a deadline for the whole head: later bytes do not move it
        arm(table.head_timeout);
      }
      arrival_.parse_at = 2 * bytes.size();
      return 0;
    case http::Parse::complete: break;
  }
  arrival_.searched = 0;
  const std::size_t length = head.bytes.size();
  if (!head_.keep(stream_.index)) {
    no_memory();
    return 0;
  }
  begin_request();
  return length;
}

void Downstream::begin_request() {
  const http::RequestHead& head = head_.scratch();
  const TimePoint started = began();
  arrival_.since = {};
  ++served_;
  answer_.begin(head.version);
  keep_alive_ = head.keep_alive;
  close_after_ = false;
  body_ = BodyDecoder(head.framing);
  watch_.reset();
  phase_ = body_.done() ? Phase::busy : Phase::body;
  engine().pause(stream_, phase_ == Phase::busy ? engine::Pause::busy : engine::Pause::waiting);
  exchange_.begin(head_.facts(peer_.trusted), client(), started);
  head_.scratch_lost();
}

std::size_t Downstream::take_body(std::string_view bytes) {
  if (!exchange_.wants_body()) return 0;
  const BodyDecoder::Step step = body_.feed(bytes.substr(0, exchange_.body_room()));
  if (step.result == BodyDecoder::Result::fault) {
    body_fault(Reason::bad_request, body_.fault());
    return bytes.size();
  }
  if (step.result == BodyDecoder::Result::data) {
    if (body_.payload_bytes() > exchange_.limits().body) {
      body_fault(Reason::too_large, kLargeBody);
      return bytes.size();
    }
    exchange_.request_data(step.payload);
  }
  if (phase_ == Phase::body && body_.done()) {
    phase_ = Phase::busy;
    engine().pause(stream_, engine::Pause::busy);
    exchange_.request_end();
  }
  return step.consumed;
}

void Downstream::body_fault(Reason reason, const http::Fault& fault) {
  reset_input_ = true;
  exchange_.request_fault(reason, fault);
}

void Downstream::refuse(const http::Fault& fault) {
  reset_input_ = true;
  answer_.begin(http::Version::http11);
  keep_alive_ = false;
  exchange_.refuse(fault, client(), began());
}

// The memory budget is used up: this request is refused, the process stays.
void Downstream::no_memory() {
  if (exchange_.active()) return exchange_.client_gone();
  refuse({503, "memory", "the router's memory budget is used up", 0});
}

// Within a request body: the body can never be complete. Between requests: the client has finished.
void Downstream::on_end() {
  if (phase_ != Phase::tunnel) return shut();
  exchange_.client_ended();
  context_.shard.outbox.flush();
}

void Downstream::on_peer_closing(bool reset) {
  if (!exchange_.active()) return;
  if (reset) return exchange_.client_gone();
  exchange_.client_closing();
}

void Downstream::on_writable() {
  if (exchange_.active()) return exchange_.client_drained();
  engine().resume(stream_, engine::Pause::busy);
  take_all();
  context_.shard.outbox.flush();
}

void Downstream::on_timer() {
  if (phase_ <= Phase::head) {
    // After half a head the client may read why it is refused; an idle connection is just closed.
    if (!arrival_.began() && !inbox_) return on_idle_timeout();
    refuse(phase_ == Phase::greeting ? kSlowProxyHeader : kSlowHead);
  } else if (watch_.on() && phase_ <= Phase::busy) {
    sample();
  }
  context_.shard.outbox.flush();
}

// ---- calls of the exchange

void Downstream::body_wanted() {
  watch_.begin_upload(engine().now(), exchange_.moved());
  arm(ClientWatch::interval(context_.rate_window));
  engine().read_limit(stream_, exchange_.gathers() ? kHeadRead : engine::kMaxRead);
  engine().resume(stream_, engine::Pause::waiting);
  take_all();
}

void Downstream::pause_body() {
  watch_.excuse();
  engine().pause(stream_, engine::Pause::sink_full);
}

// Whether the current request is the last one of its connection, independent of its answer.
bool Downstream::is_last() const {
  return !keep_alive_ || context_.draining || served_ >= context_.settings.max_requests_per_connection;
}

void Downstream::start_response(const http::Response& head, const http::ResponseExtras& extras) {
  close_after_ = is_last() || !body_.done() || answer_.needs_close(head);
  answer_.head(head, extras, close_after_);
}

void Downstream::end_response(bool close) {
  answer_.end();
  if (close || !body_.done()) close_after_ = reset_input_ = true;
}

void Downstream::answer(const http::LocalAnswer& answer) {
  if (answer.close) reset_input_ = true;
  close_after_ = answer.close || is_last();
  answer_.local(answer, close_after_);
}

// Bytes that the client has sent behind its request go first: take_all() passes them on.
void Downstream::open_tunnel(const http::Response& head, const http::ResponseExtras& extras) {
  answer_.switch_protocols(head, extras);
  phase_ = Phase::tunnel;
  close_after_ = true;
  engine().timers().disarm(timer_);
  engine().read_limit(stream_, engine::kMaxRead);
  engine().resume(stream_, engine::Pause::busy);
  take_all();
  if (context_.draining) owner_.settled();
}

// ---- whether the client is too slow

ClientWatch::Verdict Downstream::look(bool uploads) {
  return watch_.sample({.now = engine().now(),
                        .uploads = uploads,
                        .moved = exchange_.moved(),
                        .unsent = engine().unsent(stream_),
                        .untaken = engine().untaken(stream_),
                        .min_rate = exchange_.limits().min_rate,
                        .window = context_.rate_window});
}

void Downstream::sample() {
  const bool uploads = exchange_.awaits_body();
  const ClientWatch::Verdict verdict = look(uploads);
  if (verdict.too_slow) {
    reset_input_ = true;
    return exchange_.client_slow(Reason::request_timeout, uploads ? kSlowBody : kSlowReader);
  }
  watch_.sampled(phase_ == Phase::body || engine().unsent(stream_) > 0);
  if (watch_.on()) arm(ClientWatch::interval(context_.rate_window));
  if (verdict.pace || !watch_.on()) exchange_.client_pace(verdict.pace);
}

// No next request within the timeout: the client may still be reading the previous answer.
void Downstream::on_idle_timeout() {
  if (engine().unsent(stream_) == 0 || look(false).too_slow) return close_now();
  arm(ClientWatch::interval(context_.rate_window));
}

// ---- the end of a request, and of the connection

void Downstream::done() {
  head_.reset();
  if (close_after_) return close_gently();
  next_request();
}

void Downstream::next_request() {
  phase_ = Phase::head;
  if (body_.framing().kind != http::Framing::Kind::none) engine().read_limit(stream_, kHeadRead);
  arm(context_.tables.current().idle_timeout);
  engine().resume(stream_, engine::Pause::busy | engine::Pause::waiting);
  take_all();
  if (context_.draining) owner_.settled();
}

// A client that did not ask for the close may be sending its next request: a reset would lose our answer (P26).
void Downstream::close_gently() {
  context_.shard.outbox.flush();
  phase_ = Phase::closing;
  if (keep_alive_ || inbox_) reset_input_ = true;
  inbox_.reset();
  engine().timers().disarm(timer_);
  engine().close_after_send(stream_, kFlush, reset_input_ ? kLinger : Duration{0});
}

void Downstream::cut() {
  head_.reset();
  context_.shard.outbox.flush();  // the gathered bytes belong to the cut answer or to an earlier one
  // A body that ends with the connection would look complete with a FIN: only a reset shows that it is not.
  if (is_open()) engine().abort(stream_);
  close_now();
}

void Downstream::close_now() {
  phase_ = Phase::closing;
  inbox_.reset();
  engine().timers().disarm(timer_);
  engine().close(stream_);
}

void Downstream::on_closed() {
  stream_ = {};
  owner_.gone(*this);
}

}  // namespace gray::proxy
