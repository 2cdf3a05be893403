#include "router/downstream/downstream.hpp"

#include <array>
#include <utility>

#include "router/downstream/client_faults.hpp"
#include "router/downstream/turn_away.hpp"
#include "router/policy/decision.hpp"
#include "router/stats/row.hpp"
#include "router/wire/proxy_protocol.hpp"

namespace gray::proxy {

using http::BodyDecoder;
using segment::Reason;

namespace {

// Bytes read beyond a head must be kept while that request is answered: small reads bound them. Bodies are read larger.
constexpr std::size_t kHeadRead = 16 * 1024;
constexpr Duration kHandshakeTimeout{10'000};  // from the connection to the end of its TLS handshake
constexpr http::Fault kUntrustedPeer{400, "PROXY", "this peer is not in router.trusted_proxies", 0};
constexpr http::Fault kTooManyConnections{503, "limit", "this client has reached its limit of connections", 0};
constexpr http::Fault kSlowProxyHeader{408, "PROXY", "the PROXY header did not arrive in time", 0};
constexpr http::Fault kSlowHead{408, "P8", "the request head did not arrive in time", 0};

}  // namespace

// Without a transaction nothing can be answered in the usual way.
bool Downstream::begun() {
  if (transaction_ == nullptr) transaction_ = owner_.transactions.take(*this, stream_);
  if (transaction_ != nullptr) return true;
  auto& refused = context().backends.counters().wire().refused[static_cast<std::size_t>(Reason::overloaded)];
  stats::add(refused);
  reset_input_ = true;
  context().shard.outbox.append(stream_, kOverloadedAnswer);
  close_gently();
  return false;
}

void Downstream::end_transaction() {
  if (transaction_ == nullptr) return;
  transaction_->head.reset();
  owner_.transactions.give_back(std::move(transaction_));
}

void Downstream::set_peer(const Address& peer) {
  peer_.address = peer;
  peer_.ip = peer.ip_text();
  peer_.trusted = context().trusted_proxies.contains(peer);
}

bool Downstream::open(int fd, const Address& peer, Opening opening) {
  set_peer(peer);
  phase_ = opening == Opening::proxy_header ? Phase::greeting
           : opening == Opening::tls        ? Phase::handshake
                                            : Phase::head;
  close_after_ = reset_input_ = taking_ = false;
  served_ = 0;
  arrival_ = {};
  auto secured = session();
  tls_ = secured.get();
  stream_ = engine().adopt(fd, *this, std::move(secured));
  engine().count_write_errors(stream_, context().backends.counters().wire().write_errors[0]);
  if (!stream_) {
    tls_ = nullptr;
    opening == Opening::tls ? turn_away_silently(fd) : turn_away(fd);
    phase_ = Phase::closing;
    return false;
  }
  arm(phase_ == Phase::handshake ? kHandshakeTimeout : context().tables.current().head_timeout);
  // The permissions of its folder decide who may open a unix socket.
  if (phase_ == Phase::greeting && !peer_.trusted && peer.kind != Address::Kind::unix_path) refuse(kUntrustedPeer);
  return true;
}

ClientInfo Downstream::client(std::string_view authority) const {
  return {.peer = &peer_.address,
          .ip = peer_.ip,
          .trusted = peer_.trusted,
          .scheme = tls_ == nullptr ? "http" : "https",
          .certificate = tls_ == nullptr ? std::string_view() : tls_->identity(),
          .http2 = phase_ == Phase::http2,
          .misdirected = tls_ != nullptr && is_misdirected(authority),
          .connection = stream_.key()};
}

// ---- bytes from the client

void Downstream::on_data(std::string_view bytes) {
  if (phase_ == Phase::http2) {
    http2_->receive(bytes);
    return context().shard.outbox.flush();
  }
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
  if (phase_ == Phase::body && !transaction_->exchange.wants_body()) engine().pause(stream_, engine::Pause::waiting);
  context().shard.outbox.flush();
  if (is_active()) transaction_->exchange.balance();
}

std::size_t Downstream::read_size() {
  if (phase_ == Phase::http2) return engine::kMaxRead;
  if (phase_ != Phase::body && phase_ != Phase::tunnel) return kHeadRead;
  const Exchange& exchange = transaction_->exchange;
  const bool passes_on = phase_ == Phase::body && !exchange.gathers();
  return passes_on ? transaction_->body.read_for(exchange.body_read()) : exchange.body_read();
}

bool Downstream::store(std::string_view bytes) {
  if (!context().shard.buffers.reserve(inbox_, bytes.size(), stream_.key())) return false;
  inbox_.append(bytes);
  inbox_.set_long_lived();  // behind a request, as long as that lasts
  inbox_.touch("inbox");
  return true;
}

void Downstream::take_all() {
  if (taking_ || !inbox_) return;
  taking_ = true;
  const std::size_t taken = take(inbox_.view());
  taking_ = false;
  if (!inbox_) return;  // the connection was closed meanwhile
  inbox_.consume(taken);
  if (inbox_.size() == 0 || !is_open()) return inbox_.reset();
  context().shard.buffers.shrink(inbox_, stream_.key());
  inbox_.set_long_lived();
}

// For a client that pipelines but does not read its answers: its next request is read only after on_writable().
bool Downstream::must_wait() {
  if (phase_ != Phase::head) return false;
  Outbox& outbox = context().shard.outbox;
  if (outbox.gathered(stream_) + engine().unsent(stream_) <= engine::kHighWatermark) return false;
  outbox.flush();
  if (engine().unsent(stream_) <= engine::kHighWatermark) return false;
  engine().pause(stream_, engine::Pause::busy);
  return true;
}

std::size_t Downstream::take(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && is_open() && !must_wait()) {
    std::size_t taken = 0;
    if (phase_ == Phase::tunnel) {
      transaction_->exchange.client_bytes(bytes.substr(done));
      return bytes.size();
    }
    if (phase_ == Phase::http2) {
      http2_->receive(bytes.substr(done));
      return bytes.size();
    }
    if (phase_ == Phase::greeting) taken = take_greeting(bytes.substr(done));
    if (phase_ == Phase::head && taken == 0) taken = take_head(bytes.substr(done));
    if (phase_ == Phase::http2) continue;
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
  arm(context().tables.current().head_timeout);
  if (context().draining) owner_.settled();
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
  std::size_t searched = arrival_.searched;
  const bool ended = http::find_head_end(bytes, searched) != 0;
  arrival_.searched = static_cast<std::uint32_t>(searched);
  return ended || bytes.size() >= context().tables.current().head.bytes;
}

std::size_t Downstream::take_head(std::string_view bytes) {
  if (served_ == 0 && tls_ == nullptr && context().settings.h2c && may_be_http2(bytes)) {
    if (bytes.size() >= h2::kPreface.size()) begin_http2();
    if (phase_ == Phase::head && !arrival_.began()) arrival_.since = engine().now();
    return 0;
  }
  if (!worth_parsing(bytes)) return 0;
  TableView& table = context().tables.current();
  http::RequestHead& head = owner_.transactions.scratch();
  http::Fault fault;
  switch (http::parse_request(bytes, table.head, head, fault)) {
    case http::Parse::fault: refuse(fault); return 0;
    case http::Parse::incomplete:
      if (!arrival_.began()) {
        arrival_.since = engine().now();  // a deadline for the whole head: later bytes do not move it
        arm(table.head_timeout);
      }
      arrival_.parse_at = static_cast<std::uint32_t>(2 * bytes.size());
      return 0;
    case http::Parse::complete: break;
  }
  arrival_.searched = 0;
  const std::size_t length = head.bytes.size();
  if (!begun()) return 0;
  if (!transaction_->head.keep(stream_.key())) {
    no_memory();
    return 0;
  }
  begin_request();
  return length;
}

void Downstream::begin_request() {
  Transaction& transaction = *transaction_;
  const http::RequestHead& head = owner_.transactions.scratch();
  const TimePoint started = began();
  arrival_.since = {};
  if (served_ < UINT32_MAX) ++served_;
  transaction.answer.begin(head.version);
  keep_alive_ = head.keep_alive;
  close_after_ = false;
  transaction.body = BodyDecoder(head.framing);
  transaction.watch.reset();
  phase_ = transaction.body.done() ? Phase::busy : Phase::body;
  engine().pause(stream_, phase_ == Phase::busy ? engine::Pause::busy : engine::Pause::waiting);
  const RequestFacts facts = transaction.head.facts(peer_.trusted);
  transaction.exchange.begin(facts, client(facts.authority), started);
  transaction.head.scratch_lost();
}

std::size_t Downstream::take_body(std::string_view bytes) {
  Transaction& transaction = *transaction_;
  Exchange& exchange = transaction.exchange;
  BodyDecoder& body = transaction.body;
  if (!exchange.wants_body()) return 0;
  std::array<char, http::kGatherRoom> room;
  const BodyDecoder::Step step = body.feed(bytes.substr(0, exchange.body_room()), room);
  if (step.result == BodyDecoder::Result::fault) {
    body_fault(Reason::bad_request, body.fault());
    return bytes.size();
  }
  if (step.result == BodyDecoder::Result::data) {
    if (body.payload_bytes() > exchange.limits().body) {
      body_fault(Reason::too_large, kLargeBody);
      return bytes.size();
    }
    exchange.request_data(step.payload);
  }
  if (phase_ == Phase::body && body.done()) {
    phase_ = Phase::busy;
    engine().pause(stream_, engine::Pause::busy);
    exchange.request_end();
  }
  return step.consumed;
}

void Downstream::body_fault(Reason reason, const http::Fault& fault) {
  reset_input_ = true;
  transaction_->exchange.request_fault(reason, fault);
}

void Downstream::refuse(const http::Fault& fault) {
  reset_input_ = true;
  keep_alive_ = false;
  if (!begun()) return;
  Transaction& transaction = *transaction_;
  transaction.body = {};
  transaction.answer.begin(http::Version::http11);
  transaction.exchange.refuse(fault, client(), began());
}

// The memory budget is used up: this request is refused, the process stays.
void Downstream::no_memory() {
  if (is_active()) return transaction_->exchange.client_gone();
  refuse(kNoMemory);
}

// Within a request body: the body can never be complete. Between requests: the client has finished.
void Downstream::on_end() {
  if (phase_ != Phase::tunnel) return shut();
  transaction_->exchange.client_ended();
  context().shard.outbox.flush();
}

void Downstream::on_peer_closing(bool reset) {
  if (!is_active()) return;
  if (reset) return transaction_->exchange.client_gone();
  transaction_->exchange.client_closing();
}

void Downstream::on_writable() {
  if (phase_ == Phase::http2) {
    http2_->on_writable();
    return context().shard.outbox.flush();
  }
  if (is_active()) return transaction_->exchange.client_drained();
  if (phase_ == Phase::head && nothing_came() && engine().unsent(stream_) == 0) on_answer_sent();
  engine().resume(stream_, engine::Pause::busy);
  take_all();
  context().shard.outbox.flush();
}

void Downstream::on_timer() {
  if (phase_ == Phase::http2) return on_http2_timer();
  if (phase_ == Phase::handshake) return end_handshake(tls::HandshakeFailure::timeout);
  if (phase_ <= Phase::head) {
    // After half a head the client may read why it is refused; an idle connection is just closed.
    if (nothing_came()) return on_idle_timeout();
    refuse(phase_ == Phase::greeting ? kSlowProxyHeader : kSlowHead);
  } else if (phase_ <= Phase::busy && transaction_->watch.on()) {
    sample();
  }
  context().shard.outbox.flush();
}

// ---- calls of the exchange

void Downstream::body_wanted() {
  transaction_->watch.begin_upload(engine().now(), transaction_->exchange.moved());
  arm(ClientWatch::interval(context().rate_window));
  engine().resume(stream_, engine::Pause::waiting);
  take_all();
}

void Downstream::pause_body() {
  transaction_->watch.excuse();
  engine().pause(stream_, engine::Pause::sink_full);
}

// Whether the current request is the last one of its connection, independent of its answer.
bool Downstream::is_last() const {
  return !keep_alive_ || context().draining || served_ >= context().settings.max_requests_per_connection ||
         presses(policy::MemoryLevel::last_answers);
}

void Downstream::start_response(const http::Response& head, const http::ResponseExtras& extras) {
  close_after_ = is_last() || !transaction_->body.done() || transaction_->answer.needs_close(head);
  transaction_->answer.head(head, extras, close_after_);
}

void Downstream::end_response(bool close) {
  transaction_->answer.end();
  if (close || !transaction_->body.done()) close_after_ = reset_input_ = true;
}

void Downstream::answer(const http::LocalAnswer& answer) {
  if (answer.close) reset_input_ = true;
  close_after_ = answer.close || is_last();
  transaction_->answer.local(answer, close_after_);
}

// Bytes that the client has sent behind its request go first: take_all() passes them on.
void Downstream::open_tunnel(const http::Response& head, const http::ResponseExtras& extras) {
  transaction_->answer.switch_protocols(head, extras);
  phase_ = Phase::tunnel;
  close_after_ = true;
  engine().timers().disarm(timer_);
  engine().resume(stream_, engine::Pause::busy);
  take_all();
  if (context().draining) owner_.settled();
}

}  // namespace gray::proxy
