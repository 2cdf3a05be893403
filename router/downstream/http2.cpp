#include "router/downstream/http2.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace gray::proxy {
namespace {

constexpr std::size_t kTurn = 16 * 1024;                             // bytes of one stream before the next one's turn
constexpr std::size_t kHttp2Bytes = sizeof(Http2) + h2::kTableSize;  // in the memory budget
constexpr http::Fault kNoRoomH2{503, "memory", "the router is short of memory", 0};

}  // namespace

Http2Request* Http2Shared::take() {
  if (unused_.empty()) {
    ++made_;
    if (unused_.capacity() < made_) unused_.reserve(std::max(made_, 2 * unused_.capacity()));  // giving back fits
    return new Http2Request;
  }
  Http2Request* const request = unused_.back().release();
  unused_.pop_back();
  return request;
}

std::size_t Http2Shared::trim() {
  if (!has_surplus()) return 0;
  const std::size_t surplus = (unused_.size() - kKept + 1) / 2;
  unused_.resize(unused_.size() - surplus);
  made_ -= surplus;
  return surplus * sizeof(Http2Request);
}

Http2::Http2(Host& host, std::shared_ptr<Http2Shared> shared, engine::StreamId stream)
    : host_(host),
      shared_(std::move(shared)),
      stream_(stream),
      machine_(shared_->rooms, shared_->streams, static_cast<h2::ServerVisitor&>(*this),
               static_cast<h2::Output&>(*this)) {
  host_.context().shard.memory.add(kHttp2Bytes);
  machine_.start();
}

// Its requests have ended: shut() was called, or there are none.
Http2::~Http2() { host_.context().shard.memory.give(kHttp2Bytes); }

std::string_view Http2::date() const { return host_.context().date.text(engine().now()); }

// A request may be released by the visit of any other one; its object stays.
template <typename Visit>
void Http2::each_request(Visit visit) {
  std::array<h2::Stream*, h2::kMaxStreams> streams;
  std::array<Http2Request*, h2::kMaxStreams> requests;
  std::size_t count = 0;
  machine_.for_each_stream([&](h2::Stream& stream) {
    if (count < streams.size() && request_of(stream) != nullptr) {
      streams[count] = &stream;
      requests[count++] = request_of(stream);
    }
  });
  for (std::size_t i = 0; i < count; ++i) {
    if (requests[i]->serves(streams[i])) visit(*requests[i]);
  }
}

// ---- events of the connection

void Http2::receive(std::string_view bytes) {
  in_event_ = true;
  try {
    machine_.receive(bytes, engine().now());
  } catch (const std::bad_alloc&) {
    in_event_ = false;
    shut();
    return host_.http2_over();
  }
  in_event_ = false;
  if (std::exchange(pumps_, false)) pump();
  settle();
}

void Http2::on_writable() {
  in_event_ = true;
  pump();
  each_request([](Http2Request& request) {
    if (!request.waits()) request.drained();
  });
  in_event_ = false;
  settle();
}

bool Http2::full() {
  if (unsent() >= engine::kHighWatermark) outbox().flush();
  return engine().unsent(stream_) >= engine::kHighWatermark;
}

// Each stream gets a turn, until the windows or the connection are full. It ends: a turn sends something, or takes a
// stream off the schedule.
void Http2::pump() {
  if (machine_.dead()) return;
  while (!full() && !machine_.connection_blocked()) {
    h2::Stream* const stream = schedule_.next();
    if (stream == nullptr) return;
    Http2Request* const request = request_of(*stream);
    if (request == nullptr) continue;
    const std::size_t before = machine_.sendable(*stream);
    if (request->send_waiting(kTurn)) {
      if (before == 0) continue;  // on_window() adds it again
      schedule_.add(*stream);
    } else {
      request->drained();
    }
  }
}

void Http2::settle() {
  if (told_over_ || in_event_) return;
  if (machine_.dead() || machine_.drained()) {
    told_over_ = true;
    return host_.http2_over();
  }
  host_.http2_changed();
}

void Http2::begin_drain() {
  machine_.begin_drain();
  settle();
}

void Http2::finish_drain() {
  machine_.finish_drain();
  settle();
}

void Http2::end(h2::ErrorCode code, const char* rule) {
  machine_.end(code, rule);
  settle();
}

void Http2::shut() {
  told_over_ = true;
  each_request([](Http2Request& request) { request.gone(); });
}

bool Http2::watches() const {
  bool any = false;
  machine_.for_each_stream([&](const h2::Stream& stream) {
    const Http2Request* const request = request_of(stream);
    any = any || (request != nullptr && request->watched());
  });
  return any;
}

void Http2::sample() {
  in_event_ = true;
  each_request([this](Http2Request& request) {
    if (request.watched()) request.sample(host_.context().rate_window);
  });
  in_event_ = false;
  settle();
}

std::size_t Http2::kept() const {
  std::size_t bytes = 0;
  machine_.for_each_stream([&](const h2::Stream& stream) {
    if (const Http2Request* const request = request_of(stream)) bytes += request->held();
  });
  return bytes;
}

std::size_t Http2::memory() const {
  std::size_t bytes = sizeof(Http2) + machine_.memory();
  machine_.for_each_stream([&](const h2::Stream& stream) {
    bytes += sizeof(h2::Stream);
    if (const Http2Request* const request = request_of(stream)) bytes += sizeof(Http2Request) + request->held();
  });
  return bytes;
}

// ---- streams

// Null: there is no memory, and the stream is refused.
Http2Request* Http2::begin(h2::Stream& stream) {
  Http2Request* const request = shared_->take();
  auto transaction = host_.transactions().take(*request, stream_);
  if (transaction == nullptr) {
    shared_->give_back(*request);
    machine_.reset(stream, h2::ErrorCode::refused_stream);
    machine_.release(stream);
    return nullptr;
  }
  request->open(*this, stream, std::move(transaction));
  if (++served_ >= host_.context().settings.max_requests_per_connection) machine_.begin_drain();
  return request;
}

void Http2::on_request(h2::Stream& stream, std::string_view head, bool end_stream) {
  Http2Request* const request = begin(stream);
  if (request == nullptr) return;
  http::Fault fault;
  const http::Parse parsed =
      http::parse_request(head, host_.context().tables.current().head, host_.transactions().scratch(), fault);
  if (parsed == http::Parse::fault) return request->refuse(fault);
  if (parsed == http::Parse::incomplete || !request->transaction()->head.keep(stream_.key()))
    return request->refuse(kNoRoomH2);
  request->begin(end_stream);
}

void Http2::on_refused(h2::Stream& stream, const h2::Refusal& refusal, bool) {
  Http2Request* const request = begin(stream);
  if (request != nullptr) request->refuse({refusal.status, "HTTP/2", refusal.reason, 0});
}

void Http2::on_data(h2::Stream& stream, std::string_view payload, bool end_stream) {
  if (Http2Request* const request = request_of(stream)) return request->body(payload, end_stream);
  machine_.consumed(stream, payload.size());
}

void Http2::on_trailers(h2::Stream& stream, std::string_view) {
  if (Http2Request* const request = request_of(stream)) request->body_ended();
}

void Http2::on_reset(h2::Stream& stream, h2::ErrorCode) {
  if (Http2Request* const request = request_of(stream)) return request->gone();
  machine_.release(stream);
}

void Http2::on_window(h2::Stream& stream) {
  Http2Request* const request = request_of(stream);
  if (request == nullptr || !request->waits()) return;
  schedule_.add(stream);
  pumps_ = true;
}

void Http2::on_connection_error(h2::ErrorCode code, const char* rule) {
  if (code != h2::ErrorCode::no_error) host_.http2_error(rule);
  each_request([](Http2Request& request) { request.gone(); });
}

void Http2::release(Http2Request& request, h2::Stream& stream) {
  schedule_.remove(stream);
  if (auto transaction = request.take_transaction()) {
    transaction->head.reset();
    host_.transactions().give_back(std::move(transaction));
  }
  stream.user = nullptr;
  machine_.release(stream);
  shared_->give_back(request);
  settle();
}

}  // namespace gray::proxy
