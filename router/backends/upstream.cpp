#include "router/backends/upstream.hpp"

#include <array>

#include "router/backends/version.hpp"
#include "router/engine/stream.hpp"
#include "router/stats/row.hpp"
#include "router/wire/upgrade.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr std::size_t kUpstreamBytes = sizeof(Upstream) + sizeof(engine::Stream);

// Many servers send the head and a body of known length apart. A head that comes alone waits this long for the first
// body bytes: both leave in one piece, and a worker that dies between the two has answered nothing yet.
constexpr Duration kHoldBack{100};

// 1xx answers before the final one: a bound, so that a worker cannot send them for ever (P22).
constexpr std::uint32_t kMaxInterim = 32;

}  // namespace

Upstream::Upstream(ShardContext shard, http::ResponseHead& scratch, ConnectionOwner& owner, segment::WireCounts& counts)
    : shard_(shard), scratch_(scratch), owner_(owner), counts_(counts), hold_(this, [](void* self, TimePoint) {
        auto& upstream = *static_cast<Upstream*>(self);
        upstream.answer_.held = true;
        upstream.take_partial();
        upstream.settle();
      }) {
  shard_.memory.add(kUpstreamBytes);
}

Upstream::~Upstream() { shard_.memory.give(kUpstreamBytes); }

void Upstream::open(Worker& worker, segment::WorkerCell& cell, engine::StreamId stream, bool connecting) {
  worker_ = &worker;
  cell_ = &cell;
  stream_ = stream;
  connecting_ = connecting;
  reused_ = false;
  phase_ = Phase::http;
  units_ = {};
  shard_.engine.count_write_errors(stream, counts_.write_errors[1]);
  shard_.engine.serve_first(stream);
}

void Upstream::attach(WorkerEvents& exchange) {
  exchange_ = &exchange;
  asked_ = {};
  answer_ = {};
}

void Upstream::detach() {
  exchange_ = nullptr;
  phase_ = Phase::http;
  reused_ = true;
  partial_.reset();
  trailers_.reset();
  shard_.engine.timers().disarm(hold_);
  shard_.engine.resume(stream_, engine::Pause::sink_full);
}

void Upstream::send_head(const http::Request& head, const http::RequestExtras& extras, const http::HeadLimits& limits) {
  asked_.sent = true;
  asked_.method = head.method;
  asked_.limits = limits;
  asked_.upgrade = extras.upgrade;
  asked_.complete = head.body.empty();
  asked_.wants_trailers = head.wants_trailers && extras.trailers;
  asked_.chunked = head.body.kind == http::Body::Kind::open && !extras.length;
  char* out = shard_.outbox.room(stream_, http::request_bound(head, extras));
  shard_.outbox.commit(http::write_request(head, extras, out));
}

void Upstream::send_data(std::string_view payload) {
  asked_.chunked ? shard_.outbox.append_chunk(stream_, payload) : shard_.outbox.append(stream_, payload);
}

void Upstream::send_end() {
  asked_.complete = true;
  if (asked_.chunked) shard_.outbox.append(stream_, http::kLastChunk);
}

std::optional<std::uint64_t> Upstream::rest() const { return answer_.in_body ? body_.rest() : std::nullopt; }

// Where a backlog overflows, the kernel drops what is sent, and resets the connection in the end: no program read it.
// On a connection that has served before, the kernel may delay the acknowledgement of bytes that were read.
bool Upstream::may_have_arrived() const { return asked_.sent && (reused_ || shard_.engine.acknowledged(stream_)); }

// Nearly always what is known already: other threads read the cell, so it is not written then.
void Upstream::note_version(http::Version version) {
  const auto spoken = version == http::Version::http10 ? segment::Speaks::http10 : segment::Speaks::http11;
  if (speaks() != spoken) cell_->speaks.store(spoken, std::memory_order_relaxed);
}

void Upstream::release() {
  if (answer_.reusable) return owner_.release(*this);
  owner_.discard(*this, false);
}

void Upstream::discard(bool suspect) { owner_.discard(*this, suspect); }

void Upstream::leave(Duration within) { owner_.leave(*this, within); }

void Upstream::on_connected(int error) {
  connecting_ = false;
  if (error != 0) return broke(Reason::connect_failed);
  exchange_->connected();
  settle();
}

// Nothing was sent, so the request may go to another worker, as after a refused connection.
void Upstream::on_stranger(const PeerOwner& found) {
  owner_.met_stranger(*this, found);
  on_connected(EACCES);
}

void Upstream::broke(Reason reason) {
  if (idle()) return owner_.discard(*this, reason != Reason::upstream_closed);
  exchange_->failed(reason);
  shard_.outbox.flush();
}

// A worker may close an idle connection at any time, but must not send on one.
void Upstream::on_data(std::string_view bytes) {
  if (idle()) {
    stats::add(counts_.faults[1][18]);
    return owner_.discard(*this, true);
  }
  if (phase_ == Phase::tunnel) {
    exchange_->worker_bytes(bytes);
  } else if (!partial_) {
    const std::size_t taken = take(bytes);
    if (taken < bytes.size() && !store(bytes.substr(taken))) broke(Reason::overloaded);
  } else if (!store(bytes)) {
    broke(Reason::overloaded);
  } else {
    take_partial();
  }
  expedite_rest();
  settle();
}

// Programs that send an answer in pieces, with Nagle's algorithm, send the second piece when the first is acknowledged.
// Our kernel would do that only 40 ms later, because we send nothing meanwhile. Once for each answer: it then
// acknowledges what is read, until we send again. An answer that has ended has no rest: this connection may have the
// next request already.
void Upstream::expedite_rest() {
  const bool begun = partial_ || answer_.in_body || answer_.passed_on || answer_.interims > 0;
  if (idle() || phase_ != Phase::http || answer_.expedited || !begun) return;
  answer_.expedited = true;
  shard_.engine.acknowledge_received(stream_);
}

// The bytes are moved out of the member first: an exchange that ends in take() may release this connection.
void Upstream::take_partial() {
  engine::Buffer whole = std::move(partial_);
  const std::size_t taken = take(whole.view());
  if (taken == whole.size()) return;
  whole.consume(taken);
  partial_ = std::move(whole);
}

bool Upstream::hold_back(const http::ResponseHead& head, std::string_view bytes) {
  const bool body_follows = head.body.kind == http::Body::Kind::sized && head.body.size > 0;
  if (!body_follows || answer_.held || head.bytes.size() < bytes.size()) return false;
  shard_.engine.timers().arm(hold_, shard_.engine.now() + kHoldBack);
  return true;
}

// At the end of every event: sends the gathered bytes, and pauses a side that is ahead of the other.
void Upstream::settle() {
  shard_.outbox.flush();
  if (exchange_ != nullptr) exchange_->balance();
}

bool Upstream::store(std::string_view bytes) {
  if (!shard_.buffers.reserve(partial_, bytes.size(), stream_.key())) return false;
  partial_.append(bytes);
  partial_.touch("partial answer");
  return true;
}

// Returns how much was consumed; the rest is kept until more bytes come. Everything, once the exchange has ended.
std::size_t Upstream::take(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::string_view rest = bytes.substr(done);
    const std::size_t taken = answer_.in_body ? take_body(rest) : take_head(rest);
    if (taken == 0) break;
    done += taken;
  }
  return done;
}

// A head that comes in pieces is parsed again at its end: O(n) for pieces of any size.
std::size_t Upstream::take_head(std::string_view bytes) {
  if (answer_.searched > 0 && http::find_head_end(bytes, answer_.searched) == 0 && bytes.size() <= asked_.limits.bytes)
    return 0;
  http::ResponseHead& head = scratch_;
  http::Fault fault;
  const http::Parse parsed = http::parse_response(bytes, asked_.limits, asked_.method, head, fault);
  if (parsed == http::Parse::incomplete) {
    (void)http::find_head_end(bytes, answer_.searched);
    return 0;
  }
  if (parsed == http::Parse::fault) return refuse(fault, bytes);
  const std::size_t length = head.bytes.size();
  answer_.searched = 0;
  if (head.status == 101) return take_upgrade(head, bytes);
  if (hold_back(head, bytes)) return 0;
  answer_.passed_on = true;
  note_version(head.version);
  if (head.status < 200) {
    if (++answer_.interims > kMaxInterim) return refuse({502, "P22", "too many interim answers", 0}, bytes);
    exchange_->interim(head);
    return length;
  }
  answer_.in_body = true;
  answer_.keep_alive = head.keep_alive;
  body_ = http::BodyDecoder(head.framing);
  const bool complete = body_.done();
  exchange_->response_head(head);
  if (exchange_ == nullptr) return bytes.size();
  if (!complete) return length;
  end_answer(length < bytes.size());
  return bytes.size();
}

// Bytes behind the end of an answer belong to no request: the connection must not be used again.
void Upstream::end_answer(bool more_came) {
  if (more_came) {
    const std::size_t offset = static_cast<std::size_t>(body_.received());
    exchange_->worker_fault({502, "P18", "bytes behind the end of the answer", offset});
  }
  answer_.reusable = answer_.keep_alive && !more_came;
  exchange_->response_end();
}

std::size_t Upstream::refuse(const http::Fault& fault, std::string_view bytes) {
  exchange_->worker_fault(fault);
  broke(Reason::upstream_invalid);
  return bytes.size();
}

// The section nearly always comes whole; only one that comes in pieces is buffered. False: no memory for it.
bool Upstream::take_trailers(const http::BodyDecoder::Step& step) {
  const bool complete = step.result == http::BodyDecoder::Result::end;
  if (complete && !trailers_) {
    exchange_->response_trailers(step.trailers);
    return true;
  }
  if (!shard_.buffers.reserve(trailers_, step.trailers.size(), stream_.key())) return false;
  trailers_.append(step.trailers);
  trailers_.touch("trailers");
  if (complete) exchange_->response_trailers(trailers_.view());
  return true;
}

// A 101 is accepted only for an offered protocol, and only once the request is complete: before that the client's bytes
// are a body. Bytes behind the 101 are no longer HTTP.
std::size_t Upstream::take_upgrade(const http::ResponseHead& head, std::string_view bytes) {
  const std::string_view protocol =
      head.version == http::Version::http11 && asked_.complete ? http::taken_protocol(head, asked_.upgrade) : "";
  if (protocol.empty()) return refuse({502, "P24", "101 that was not requested", 0}, bytes);
  const std::string_view rest = bytes.substr(head.bytes.size());
  answer_.passed_on = true;
  phase_ = Phase::tunnel;
  exchange_->upgraded(head, protocol);
  if (exchange_ == nullptr) return bytes.size();
  owner_.opened_tunnel(*this);
  if (!rest.empty()) exchange_->worker_bytes(rest);
  return bytes.size();
}

void Upstream::end_tunnel(Reason reason) { exchange_->end_tunnel(reason); }

void Upstream::leave_tunnel(Duration within) {
  shard_.outbox.flush();
  detach();
  phase_ = Phase::ending;
  shard_.engine.close_after_send(stream_, within, within);
}

void Upstream::close() {
  detach();
  phase_ = Phase::ending;
  shard_.engine.close(stream_);
}

void Upstream::give_away() {
  phase_ = Phase::ending;
  shard_.engine.release(stream_);
}

void Upstream::on_closed() { owner_.closed(*this); }

void Upstream::on_released(int fd) { owner_.released(*this, fd); }

std::size_t Upstream::take_body(std::string_view bytes) {
  std::array<char, http::kGatherRoom> room;
  const http::BodyDecoder::Step step = body_.feed(bytes, room);
  if (!step.trailers.empty() && asked_.wants_trailers && !take_trailers(step)) {
    broke(Reason::upstream_invalid);
    return bytes.size();
  }
  switch (step.result) {
    case http::BodyDecoder::Result::data:
      exchange_->response_data(step.payload);
      if (exchange_ == nullptr) return bytes.size();
      if (!body_.done()) return step.consumed;
      break;
    case http::BodyDecoder::Result::end: break;
    case http::BodyDecoder::Result::more: return step.consumed;
    case http::BodyDecoder::Result::fault: return refuse(body_.fault(), bytes);
  }
  end_answer(step.consumed < bytes.size());
  return bytes.size();
}

void Upstream::on_end() {
  if (phase_ == Phase::tunnel) {
    exchange_->worker_ended();
    return settle();
  }
  if (!idle() && answer_.in_body && body_.finish()) {
    exchange_->response_end();
    shard_.outbox.flush();
    return;
  }
  on_failed(0);
}

void Upstream::on_writable() {
  if (idle()) return;
  exchange_->worker_drained();
  shard_.outbox.flush();  // an HTTP/2 side passes on at once what it has kept
}

void Upstream::on_failed(int) {
  if (!idle() && answer_.in_body) {
    const std::size_t offset = static_cast<std::size_t>(body_.received());
    exchange_->worker_fault({502, "P27", "the connection ended inside the body", offset});
  }
  broke(Reason::upstream_closed);
}

// The stream is paused because the client is slow; bytes of the worker are still to be read.
void Upstream::on_peer_closing(bool) {}

}  // namespace gray::proxy
