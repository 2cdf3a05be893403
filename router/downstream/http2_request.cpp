#include "router/downstream/http2_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "router/downstream/client_faults.hpp"
#include "router/downstream/http2.hpp"

namespace gray::proxy {

using segment::Reason;

void Http2Request::open(Http2& connection, h2::Stream& stream, std::unique_ptr<Transaction> transaction) {
  connection_ = &connection;
  stream_ = &stream;
  stream.user = this;
  transaction_ = std::move(transaction);
  body_bytes_ = left_ = 0;
  mark_ = 0;
  sized_ = body_complete_ = body_told_ = paused_ = answer_complete_ = done_ = passing_ = held_ = lost_ = false;
}

void Http2Request::begin(bool end_stream) {
  Transaction& transaction = *transaction_;
  const ClientInfo anyone = connection_->host().client_of({});
  const RequestFacts facts = transaction.head.facts(anyone.trusted);
  body_complete_ = body_told_ = end_stream || !facts.has_body;
  transaction.watch.reset();
  transaction.exchange.begin(facts, connection_->host().client_of(facts.authority), connection_->engine().now());
  if (transaction_ != nullptr) transaction_->head.scratch_lost();
}

void Http2Request::refuse(const http::Fault& fault) {
  body_complete_ = body_told_ = true;
  transaction_->exchange.refuse(fault, connection_->host().client_of({}), connection_->engine().now());
}

// ---- the body

void Http2Request::body(std::string_view payload, bool end_stream) {
  if (!active() || body_told_) return connection_->machine().consumed(*stream_, payload.size());  // of no use any more
  if (body_.size() == 0) {
    while (!payload.empty() && active() && transaction_->exchange.wants_body() && !paused_) {
      const std::string_view part = payload.substr(0, transaction_->exchange.body_room());
      if (part.empty()) break;
      payload.remove_prefix(part.size());
      give(part);
    }
  }
  if (released()) return;  // the machine credits the rest
  if (!active()) return connection_->machine().consumed(*stream_, payload.size());
  if (!payload.empty()) {
    if (!keep(body_, payload, "body of a stream")) return gone();
  }
  body_complete_ = body_complete_ || end_stream;  // not before: a worker that takes the first part would get an end
  pass_body();
}

void Http2Request::give(std::string_view payload) {
  body_bytes_ += payload.size();
  connection_->machine().consumed(*stream_, payload.size());
  if (body_bytes_ > transaction_->exchange.limits().body) {
    body_told_ = true;
    return transaction_->exchange.request_fault(Reason::too_large, kLargeBody);
  }
  transaction_->exchange.request_data(payload);
}

void Http2Request::pass_body() {
  if (passing_) return;  // it continues by itself
  passing_ = true;
  while (active() && body_.size() > 0 && transaction_->exchange.wants_body() && !paused_) {
    const std::string_view part = body_.view().substr(0, transaction_->exchange.body_room());
    if (part.empty()) break;
    const std::size_t size = part.size();
    give(part);
    if (released()) return;
    body_.consume(size);
  }
  passing_ = false;
  if (body_.size() == 0) body_.reset();
  if (active() && body_complete_ && body_.size() == 0 && !body_told_ && transaction_->exchange.wants_body()) {
    body_told_ = true;
    transaction_->exchange.request_end();
  }
  if (active()) transaction_->exchange.balance();
}

void Http2Request::body_ended() {
  body_complete_ = true;
  pass_body();
}

void Http2Request::body_wanted() {
  if (transaction_ != nullptr)
    transaction_->watch.begin_upload(connection_->engine().now(), transaction_->exchange.moved());
  connection_->host().http2_changed();
  if (body_.size() > 0 || body_complete_) pass_body();
}

void Http2Request::pause_body() {
  transaction_->watch.excuse();
  paused_ = true;
}

void Http2Request::resume_body() {
  paused_ = false;
  pass_body();
}

// ---- the answer

void Http2Request::continue_request() { connection_->machine().send_continue(*stream_); }

void Http2Request::interim(const http::Response& head) { connection_->machine().send_interim(*stream_, head); }

void Http2Request::start_response(const http::Response& head, const http::ResponseExtras& extras) {
  sized_ = head.body.kind == http::Body::Kind::sized;
  left_ = sized_ ? head.body.size : 0;
  const bool empty = head.body.kind == http::Body::Kind::none || (sized_ && left_ == 0);
  connection_->machine().send_head(*stream_, head, extras, connection_->date(), empty);
  mark();
}

// The last frame of an answer with a length ends the stream: no empty frame follows it.
void Http2Request::response_data(std::string_view payload) {
  if (sized_) left_ -= std::min<std::uint64_t>(left_, payload.size());
  const bool last = sized_ && left_ == 0;
  if (last) answer_complete_ = true;
  if (!waits() && !connection_->full())
    payload.remove_prefix(connection_->machine().send_data(*stream_, payload, last));
  mark();
  if (!payload.empty()) keep_answer(payload);
}

// False: there is no memory for it.
bool Http2Request::keep(engine::Buffer& buffer, std::string_view bytes, const char* what) {
  if (!connection_->host().context().shard.buffers.reserve(buffer, bytes.size(), connection_->stream().key()))
    return false;
  buffer.append(bytes);
  buffer.set_long_lived();
  buffer.touch(what);
  return true;
}

void Http2Request::keep_answer(std::string_view payload) {
  if (lost_) return;
  if (!keep(answer_, payload, "answer of a stream")) {
    lost_ = true;  // the exchange ends in the next event: it is calling
    return connection_->machine().reset(*stream_, h2::ErrorCode::internal_error);
  }
  connection_->payload_waits(*stream_);
}

void Http2Request::response_trailers(std::string_view section) {
  answer_complete_ = true;
  if (!waits()) return connection_->machine().send_trailers(*stream_, section);
  if (!keep(trailers_, section, "trailers of a stream")) trailers_.reset();  // the answer is complete without them
}

void Http2Request::end_response(bool) {
  answer_complete_ = true;
  if (!waits()) connection_->machine().send_data(*stream_, {}, true);
}

void Http2Request::answer(const http::LocalAnswer& answer) {
  std::array<char, http::kMaxLocalAnswer> text;
  answer_complete_ = true;
  const std::string_view rest = connection_->machine().send_answer(*stream_, answer, connection_->date(), text);
  if (!rest.empty()) keep_answer(rest);
}

bool Http2Request::send_waiting(std::size_t most) {
  std::string_view left = answer_.view();
  while (most > 0 && !left.empty() && !connection_->full()) {
    const std::string_view part = left.substr(0, most);
    const bool last = part.size() == left.size() && answer_complete_ && !trailers_;
    const std::size_t sent = connection_->machine().send_data(*stream_, part, last);
    if (sent == 0) break;
    left.remove_prefix(sent);
    most -= sent;
  }
  mark();
  answer_.consume(answer_.size() - left.size());
  if (answer_.size() > 0) return true;
  answer_.reset();
  if (trailers_) connection_->machine().send_trailers(*stream_, trailers_.view());
  trailers_.reset();
  return false;
}

void Http2Request::drained() {
  if (std::exchange(held_, false) && active()) transaction_->exchange.client_drained();
  if (!released() && done_ && !waits()) over();
}

// ---- the end

void Http2Request::done() {
  done_ = true;
  if (!waits()) return over();
  fell_behind();  // the client still has to take the rest, at min_rate
}

void Http2Request::cut() {
  connection_->machine().reset(*stream_, h2::ErrorCode::internal_error);
  over();
}

void Http2Request::gone() {
  if (active()) return transaction_->exchange.client_gone();
  over();
}

void Http2Request::over() {
  body_.reset();
  answer_.reset();
  trailers_.reset();
  connection_->release(*this, *std::exchange(stream_, nullptr));
}

// No upgrade is offered, because the head of an HTTP/2 request has none.
void Http2Request::open_tunnel(const http::Response&, const http::ResponseExtras&) { cut(); }

// ---- its pace

// Of the answer, bytes that the client has not got yet: those that wait, and those that are framed and not sent.
std::size_t Http2Request::own_unsent() const {
  const std::uint64_t written = connection_->machine().written();
  const std::uint64_t sent = written - std::min<std::uint64_t>(written, connection_->unsent());
  return answer_.size() + static_cast<std::size_t>(mark_ > sent ? mark_ - sent : 0);
}

void Http2Request::mark() { mark_ = connection_->machine().written(); }

bool Http2Request::backed_up() const {
  return lost_ || waits() || connection_->engine().unsent(connection_->stream()) > 0;
}

std::size_t Http2Request::takes() const {
  const std::size_t room = connection_->machine().sendable(*stream_);
  return std::clamp(room, engine::kMinRead,
                    std::max(engine::kMinRead, connection_->engine().takes(connection_->stream())));
}

bool Http2Request::has_room(std::uint64_t bytes) const {
  const std::size_t waiting = answer_.size() + connection_->engine().unsent(connection_->stream());
  return waiting + bytes <= engine::kMaxUnsent &&
         !connection_->host().context().shard.memory.at_least(policy::MemoryLevel::shrink);
}

void Http2Request::fell_behind() {
  held_ = true;
  if (transaction_->watch.begin()) connection_->host().http2_changed();
}

bool Http2Request::behind() const { return watched() && own_unsent() > 0; }

void Http2Request::sample(Duration window) {
  if (lost_) return gone();
  Exchange& exchange = transaction_->exchange;
  const bool uploads = exchange.awaits_body();
  const std::size_t unsent = own_unsent();
  const ClientWatch::Verdict verdict = transaction_->watch.sample({.now = connection_->engine().now(),
                                                                   .uploads = uploads,
                                                                   .moved = exchange.moved(),
                                                                   .unsent = unsent,
                                                                   .untaken = unsent,
                                                                   .min_rate = exchange.limits().min_rate,
                                                                   .window = window});
  if (verdict.too_slow && !active()) return cut();
  if (verdict.too_slow) return exchange.client_slow(Reason::request_timeout, uploads ? kSlowBody : kSlowReader);
  transaction_->watch.sampled(!body_told_ || unsent > 0);
  if (active() && (verdict.pace || !transaction_->watch.on())) exchange.client_pace(verdict.pace);
}

std::size_t Http2Request::held() const {
  return body_.held() + answer_.held() + trailers_.held() + (transaction_ ? transaction_->head.held() : 0);
}

}  // namespace gray::proxy
