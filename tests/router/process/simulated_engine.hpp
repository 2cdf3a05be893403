#pragma once
// An engine without sockets and without a clock: the test is the peer of every stream, and says what time it is.
// Follows the rules of engine.hpp. One thread; the order of events depends on calls of the test only.
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "router/engine/send_tail.hpp"
#include "tests/router/backends/silent_engine.hpp"

namespace gray::test {

/// A stream, and its socket as both ends see it.
struct SimulatedStream {
  enum class Phase : std::uint8_t { connecting, open, flushing, lingering, closed, over };

  engine::StreamHandler* handler = nullptr;
  engine::StreamId id;
  Phase phase = Phase::open;
  bool accepted = false;  // by adopt(): its peer is a client
  // The peer's side. It takes bytes from `out` and adds bytes to `in`.
  std::string in;                // sent by the peer, not read yet
  std::string out;               // taken by the kernel for the peer
  std::size_t room = 16 * 1024;  // bytes that `out` may hold
  bool in_end = false, in_reset = false;
  bool out_end = false, out_reset = false;  // what the peer sees behind `out`
  bool answers_connect = true;              // false: the connect is still open

  std::uint8_t pauses = 0;
  bool reported_closing = false, reported_end = false, backlogged = false, above_high = false, finished = false;
  bool released = false;  // by release(), not by close()
  int error = 0;
  TimePoint until = TimePoint::max();  // while flushing or lingering
  Duration linger{0};
  engine::SendTail tail;
  std::size_t tail_since = 0;  // a turn

  bool peer_closed() const { return in_end || in_reset; }
  bool live() const { return phase <= Phase::open; }
};

class SimulatedEngine final : public SilentEngine {
 public:
  explicit SimulatedEngine(engine::BufferPool& buffers) : buffers_(buffers) {}

  // ---- for the test

  /// Streams whose last event was not delivered. A visit must not call the engine.
  template <typename Visit>
  void for_each(Visit visit) {
    for (const auto& stream : streams_) {
      if (stream->phase != SimulatedStream::Phase::over) visit(*stream);
    }
  }
  /// Whether a connect() is refused; asked at each.
  std::function<bool()> refuses = [] { return false; };
  /// How many of so many bytes the kernel takes, although it has room for all; asked at each send.
  std::function<std::size_t(std::size_t)> takes_of = [](std::size_t bytes) { return bytes; };
  /// A loop turn at `now`: whatever is due is delivered, with one read of each stream.
  void turn(TimePoint now) {
    now_ = now;
    ++turns_;
    for (auto tasks = std::exchange(posted_, {}); const auto& task : tasks) task();
    wheel.advance(now_);
    // Streams that the handlers add come next turn.
    for (std::size_t i = 0, count = streams_.size(); i < count; ++i) serve(*streams_[i]);
    std::erase_if(streams_, [](const auto& stream) { return stream->phase == SimulatedStream::Phase::over; });
    if (when_empty_ && streams_.empty()) std::exchange(when_empty_, nullptr)();
  }

  // ---- engine::Engine

  engine::StreamId adopt(int, engine::StreamHandler& handler, std::unique_ptr<engine::Transform>) override {
    SimulatedStream& stream = add(handler);
    stream.accepted = true;
    return stream.id;
  }
  engine::StreamId connect(const Address&, uid_t, engine::StreamHandler& handler) override {
    SimulatedStream& stream = add(handler);
    stream.phase = SimulatedStream::Phase::connecting;
    if (refuses()) stream.error = ECONNREFUSED;
    return stream.id;
  }
  void send(engine::StreamId id, std::string_view bytes) override {
    SimulatedStream* stream = find(id);
    if (stream == nullptr || stream->finished || stream->error != 0) return;
    if (stream->in_reset) return fail(*stream, EPIPE);
    if (stream->tail.empty()) {
      const std::size_t fits =
          takes_of(std::min(bytes.size(), stream->room - std::min(stream->room, stream->out.size())));
      stream->out.append(bytes.substr(0, fits));
      bytes.remove_prefix(fits);
    }
    if (!bytes.empty()) keep(*stream, bytes);
  }
  void send_pieces(engine::StreamId id, std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) send(id, piece);
  }
  std::size_t takes(engine::StreamId id) const override {
    const SimulatedStream* stream = find(id);
    if (stream == nullptr || stream->out.size() >= stream->room) return engine::kMinRead;
    return std::clamp(stream->room - stream->out.size(), engine::kMinRead, engine::kMaxRead);
  }
  bool is_open(engine::StreamId id) const override { return find(id) != nullptr; }
  std::size_t unsent(engine::StreamId id) const override {
    const SimulatedStream* stream = find(id);
    return stream == nullptr ? 0 : stream->tail.size();
  }
  std::size_t untaken(engine::StreamId id) const override {
    const SimulatedStream* stream = find(id);
    return stream == nullptr ? 0 : stream->tail.size() + stream->out.size();
  }
  void pause(engine::StreamId id, engine::Pause reason) override {
    if (SimulatedStream* stream = find(id)) stream->pauses |= static_cast<std::uint8_t>(reason);
  }
  void resume(engine::StreamId id, engine::Pause reason) override {
    if (SimulatedStream* stream = find(id)) stream->pauses &= static_cast<std::uint8_t>(~static_cast<unsigned>(reason));
  }
  void finish(engine::StreamId id) override {
    SimulatedStream* stream = find(id);
    if (stream == nullptr) return;
    stream->finished = true;
    if (stream->tail.empty()) stream->out_end = true;
  }
  void abort(engine::StreamId id) override {
    if (SimulatedStream* stream = find(id)) stream->out_reset = true;
  }
  void close(engine::StreamId id) override {
    if (SimulatedStream* stream = find_unclosed(id)) end(*stream);
  }
  void close_after_send(engine::StreamId id, Duration within, Duration linger) override {
    SimulatedStream* stream = find(id);
    if (stream == nullptr) return;
    stream->phase = SimulatedStream::Phase::flushing;
    stream->until = now_ + within;
    stream->linger = linger;
  }
  void release(engine::StreamId id) override {
    if (SimulatedStream* stream = find(id)) {
      stream->released = true;
      end(*stream);
    }
  }
  void stop_listening() override {}
  void post(std::function<void()> task) override { posted_.push_back(std::move(task)); }
  TimePoint now() const override { return now_; }
  std::size_t open_streams() const override { return streams_.size(); }
  void when_empty(std::function<void()> task) override { when_empty_ = std::move(task); }

 private:
  using Phase = SimulatedStream::Phase;

  SimulatedStream& add(engine::StreamHandler& handler) {
    SimulatedStream& stream = *streams_.emplace_back(std::make_unique<SimulatedStream>());
    stream.handler = &handler;
    stream.id = {next_++, 1};
    return stream;
  }
  SimulatedStream* find_unclosed(engine::StreamId id) const {
    for (const auto& stream : streams_) {
      if (stream->id == id) return stream->phase < Phase::closed ? stream.get() : nullptr;
    }
    return nullptr;
  }
  SimulatedStream* find(engine::StreamId id) const {
    SimulatedStream* stream = find_unclosed(id);
    return stream != nullptr && stream->live() ? stream : nullptr;
  }
  static void end(SimulatedStream& stream) {
    stream.phase = Phase::closed;
    if (!stream.tail.empty()) stream.out_reset = true;
    stream.out_end = true;
    stream.tail.clear();
  }
  static void fail(SimulatedStream& stream, int error) { stream.error = error; }
  void keep(SimulatedStream& stream, std::string_view bytes) {
    if (stream.tail.empty()) stream.tail_since = turns_;
    const std::size_t most = stream.tail_since == turns_ ? engine::kMaxUnsentInTurn : engine::kMaxUnsent;
    const bool fits = stream.tail.empty() || stream.tail.size() + bytes.size() <= most;
    if (!fits || !stream.tail.append(bytes, buffers_, stream.id.key())) return fail(stream, ENOBUFS);
    stream.backlogged = true;
    if (stream.tail.size() > engine::kHighWatermark) stream.above_high = true;
  }

  void serve(SimulatedStream& stream) {
    if (stream.phase == Phase::connecting && stream.answers_connect) {
      stream.phase = Phase::open;
      if (const int error = std::exchange(stream.error, 0)) return stream.handler->on_connected(error);
      stream.handler->on_connected(0);
    }
    if (stream.phase != Phase::connecting && stream.phase < Phase::closed) flush(stream);
    if (stream.phase == Phase::open) read(stream);
    if (stream.phase == Phase::open && stream.error != 0) stream.handler->on_failed(stream.error);
    if (stream.phase == Phase::flushing || stream.phase == Phase::lingering) close_if_done(stream);
    if (stream.phase != Phase::closed) return;
    stream.phase = Phase::over;
    stream.released ? stream.handler->on_released(-1) : stream.handler->on_closed();
  }

  void flush(SimulatedStream& stream) {
    if (stream.in_reset && !stream.tail.empty()) return fail(stream, EPIPE);
    while (!stream.tail.empty() && stream.out.size() < stream.room) {
      iovec piece;
      stream.tail.pieces(&piece, 1);
      const std::size_t fits = std::min(piece.iov_len, stream.room - stream.out.size());
      stream.out.append(static_cast<const char*>(piece.iov_base), fits);
      stream.tail.consume(fits);
    }
    if (stream.phase != Phase::open) return;
    const bool finished = stream.finished && stream.tail.empty() && !stream.out_end;
    if (finished) stream.out_end = true;
    if (stream.backlogged && stream.tail.size() <= (stream.above_high ? engine::kLowWatermark : 0)) {
      stream.above_high = false;
      stream.backlogged = !stream.tail.empty();
      stream.handler->on_writable();
    }
    if (finished && stream.phase == Phase::open) stream.handler->on_finished();
  }

  void read(SimulatedStream& stream) {
    if (stream.pauses == 0 && !stream.reported_end && !stream.in.empty()) {
      const std::size_t wanted = std::clamp<std::size_t>(stream.handler->read_size(), 1, engine::kMaxRead);
      const std::string bytes = stream.in.substr(0, wanted);
      stream.in.erase(0, wanted);
      stream.handler->on_data(bytes);
      if (stream.phase != Phase::open || stream.error != 0) return;
    }
    if (stream.pauses == 0 && !stream.reported_end && stream.in.empty() && stream.peer_closed()) {
      stream.reported_end = true;
      if (stream.in_reset) return stream.handler->on_failed(ECONNRESET);
      stream.handler->on_end();
      return;
    }
    const bool told = stream.reported_closing && !stream.in_reset;
    if (stream.pauses != 0 && stream.peer_closed() && !stream.reported_end && !told) {
      stream.reported_closing = true;
      stream.handler->on_peer_closing(stream.in_reset);
    }
  }

  void close_if_done(SimulatedStream& stream) {
    if (stream.phase == Phase::flushing && stream.tail.empty() && stream.linger > Duration{0}) {
      stream.phase = Phase::lingering;
      stream.out_end = true;
      stream.until = now_ + stream.linger;
    }
    if (stream.phase == Phase::lingering) stream.in.clear();
    const bool sent = stream.phase == Phase::flushing && stream.tail.empty();
    const bool left = stream.in_reset || (stream.phase == Phase::lingering && stream.in_end);
    if (sent || left || now_ >= stream.until) end(stream);
  }

  engine::BufferPool& buffers_;
  std::vector<std::unique_ptr<SimulatedStream>> streams_;
  std::vector<std::function<void()>> posted_;
  std::function<void()> when_empty_;
  std::uint32_t next_ = 0;
  TimePoint now_{};
  std::size_t turns_ = 0;
};

}  // namespace gray::test
