// Streams with a transform: their handshakes, what they receive and what they send.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "router/engine/epoll_engine.hpp"
#include "router/engine/heap_bytes.hpp"
#include "router/engine/socket_calls.hpp"

namespace gray::engine {
namespace {

constexpr std::size_t kCipherRoom = 72 * 1024;    // gathered for one system call: what a full read becomes
constexpr std::size_t kHandshakeRead = 4 * 1024;  // more is rarely sent before an answer
constexpr std::size_t kClearRoom = kMaxRead + Transform::kMaxKept;

}  // namespace

// Gathers what a transform sends, so that several records are one system call.
class EpollEngine::Gathered final : public CipherSink {
 public:
  Gathered(EpollEngine& engine, Stream& stream) : engine_(engine), stream_(stream) {
    if (!engine_.cipher_) engine_.cipher_.reset(new char[kCipherRoom]);
  }
  ~Gathered() { flush(); }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;

  void put(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (used_ == kCipherRoom) flush();
      const std::size_t part = std::min(bytes.size(), kCipherRoom - used_);
      std::memcpy(engine_.cipher_.get() + used_, bytes.data(), part);
      used_ += part;
      bytes.remove_prefix(part);
    }
  }

 private:
  void flush() {
    const std::string_view gathered{engine_.cipher_.get(), std::exchange(used_, 0)};
    if (stream_.error == 0 && stream_.fd >= 0) engine_.send_clear(stream_, gathered);
  }

  EpollEngine& engine_;
  Stream& stream_;
  std::size_t used_ = 0;
};

void EpollEngine::await_handshake(Stream& stream) {
  if (!stream.readable || stream.in_handshakes || stream.pauses != 0) return;
  stream.in_handshakes = true;
  if (handshakes_.overgrown(streams_.open())) handshakes_.prune([this](StreamId id) { return is_open(id); });
  handshakes_.add(stream.id(), stream.handshaking);
}

// A stream that was closed while it waited is skipped.
void EpollEngine::run_handshake(bool busy) {
  const TimePoint began = Clock::now();
  while (const auto id = handshakes_.next(began, busy)) {
    Stream* stream = streams_.find(*id);
    if (stream == nullptr) continue;
    stream->in_handshakes = false;
    if (stream->closing()) continue;
    handshake(*stream);
    handshakes_.stepped(began, Clock::now());
    return;
  }
}

void EpollEngine::look_at_handshakes() {
  const auto goes_on = [this](StreamId id) {
    const Stream* const stream = streams_.find(id);
    return stream != nullptr && stream->handshaking;
  };
  while (const auto id = handshakes_.overdue(now_, goes_on)) {
    Stream* const stream = streams_.find(*id);
    end_handshake(*stream);
    stream->handler->on_failed(ETIMEDOUT);
  }
}

void EpollEngine::handshake(Stream& stream) {
  const StreamId id = stream.id();
  const ssize_t count = receive(stream.fd, scratch_.get(), kHandshakeRead);
  if (count <= 0) {
    if (count < 0 && errno == EINTR) return await_handshake(stream);
    stream.readable = false;
    if (count < 0 && errno == EAGAIN) return;
    const int error = count < 0 ? errno : ECONNRESET;
    end_handshake(stream);
    return stream.handler->on_failed(error);
  }
  if (static_cast<std::size_t>(count) < kHandshakeRead && !stream.peer_closed) stream.readable = false;
  if (!std::exchange(stream.handshaking, true)) handshakes_.begin(stream.id(), now_);
  (void)hand_out(stream, {scratch_.get(), static_cast<std::size_t>(count)});
  if (stream.is(id) && stream.readable && !stream.closing()) mark_ready(stream);
}

void EpollEngine::end_handshake(Stream& stream) {
  if (std::exchange(stream.handshaking, false)) handshakes_.end();
}

// Gives the handler what `bytes` contain. False: the stream has ended, or nothing more is to be read from it.
bool EpollEngine::hand_out(Stream& stream, std::string_view bytes) {
  const StreamId id = stream.id();
  if (!clear_) clear_.reset(new char[kClearRoom]);
  const bool was_open = stream.transform->open();
  Transform::Received received;
  {
    Gathered sink(*this, stream);
    received = stream.transform->receive(bytes, {clear_.get(), kClearRoom}, sink);
  }
  if (!was_open && stream.transform->open()) {
    end_handshake(stream);
    stream.handler->on_secured();
    if (!stream.is(id)) return false;
  }
  if (received.clear > 0) {
    stream.handler->on_data({clear_.get(), received.clear});
    if (!stream.is(id) || stream.closing()) return false;
  }
  switch (received.state) {
    case Transform::State::handshake:
    case Transform::State::open: return true;
    case Transform::State::ended:
      stream.readable = false;
      if (!std::exchange(stream.reported_end, true)) stream.handler->on_end();
      return false;
    case Transform::State::failed: break;
  }
  stream.readable = false;
  end_handshake(stream);
  stream.transform->open() ? stream.handler->on_failed(EPROTO) : stream.handler->on_insecure();
  return false;
}

void EpollEngine::encrypt(Stream& stream, std::span<const std::string_view> pieces) {
  Gathered sink(*this, stream);
  for (const std::string_view piece : pieces) {
    if (piece.empty() || stream.error != 0) continue;
    if (!stream.transform->open() || !stream.transform->send(piece, sink)) return fail(stream, EPROTO);
  }
}

// The peer then knows that what it got is complete. Not for a stream that is cut.
void EpollEngine::say_finished(Stream& stream) {
  if (!stream.transform || stream.aborted || stream.finished || stream.error != 0 || stream.fd < 0) return;
  Gathered sink(*this, stream);
  stream.transform->finish(sink);
}

std::size_t EpollEngine::secured_memory() const {
  return (clear_ ? heap_bytes(kClearRoom) : 0) + (cipher_ ? heap_bytes(kCipherRoom) : 0);
}

}  // namespace gray::engine
