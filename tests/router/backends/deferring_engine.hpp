#pragma once
// An engine whose streams end when the test says so: a wrapper of the epoll engine that defers close() and release(),
// and their events. Until then the descriptor is open, and the handler gets no event.
//
//  - `hold`: until end_held().
//  - `late`: some turns later, by itself.
//  - `at_once`: like the epoll engine.
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "router/engine/engine.hpp"

namespace gray::test {

class DeferringEngine final : public engine::Engine {
 public:
  enum class Mode { at_once, late, hold };

  explicit DeferringEngine(engine::BufferPool& buffers, Mode mode = Mode::at_once)
      : below_(engine::make_engine(buffers)), mode_(mode) {}

  // To be called on its thread.
  void hold() { mode_ = Mode::hold; }
  /// Ends the held streams, and later ones at once.
  void end_held() {
    mode_ = Mode::at_once;
    std::vector<std::function<void()>> held;
    held.swap(held_);
    for (const auto& step : held) step();
    if (when_empty_) when_empty(std::exchange(when_empty_, nullptr));
  }
  /// How many streams wait for end_held().
  std::size_t held() const { return held_.size(); }
  /// A release() becomes a close, as if the socket could not be detached.
  void lose_released() { loses_ = true; }
  /// As if the kernel of every peer acknowledged nothing.
  void acknowledge_nothing() { deaf_ = true; }

  engine::StreamId adopt(int fd, engine::StreamHandler& handler,
                         std::unique_ptr<engine::Transform> transform) override {
    return keep(handler, [&](Stream& stream) { return below_->adopt(fd, stream, std::move(transform)); });
  }
  engine::StreamId connect(const Address& to, uid_t owner, engine::StreamHandler& handler) override {
    return keep(handler, [&](Stream& stream) { return below_->connect(to, owner, stream); });
  }
  std::optional<PeerOwner> peer(engine::StreamId id) const override {
    return find(id) == nullptr ? std::nullopt : below_->peer(id);
  }
  void send(engine::StreamId id, std::string_view bytes) override {
    if (find(id) != nullptr) below_->send(id, bytes);
  }
  bool is_open(engine::StreamId id) const override { return find(id) != nullptr && below_->is_open(id); }
  void send_pieces(engine::StreamId id, std::span<const std::string_view> pieces) override {
    if (find(id) != nullptr) below_->send_pieces(id, pieces);
  }
  std::size_t takes(engine::StreamId id) const override { return below_->takes(id); }
  std::size_t unsent(engine::StreamId id) const override { return find(id) == nullptr ? 0 : below_->unsent(id); }
  std::size_t untaken(engine::StreamId id) const override { return find(id) == nullptr ? 0 : below_->untaken(id); }
  bool acknowledged(engine::StreamId id) const override {
    return !deaf_ && (find(id) == nullptr || below_->acknowledged(id));
  }
  void acknowledge_received(engine::StreamId id) override {
    if (find(id) != nullptr) below_->acknowledge_received(id);
  }
  void count_write_errors(engine::StreamId id, std::atomic<std::uint64_t>& counter) override {
    below_->count_write_errors(id, counter);
  }
  void serve_first(engine::StreamId id) override { below_->serve_first(id); }
  void pause(engine::StreamId id, engine::Pause reason) override {
    if (find(id) != nullptr) below_->pause(id, reason);
  }
  void resume(engine::StreamId id, engine::Pause reason) override {
    if (find(id) != nullptr) below_->resume(id, reason);
  }
  void finish(engine::StreamId id) override {
    if (find(id) != nullptr) below_->finish(id);
  }
  void abort(engine::StreamId id) override {
    if (find(id) != nullptr) below_->abort(id);
  }
  void close(engine::StreamId id) override {
    Stream* stream = find(id);
    if (stream == nullptr) return;
    stream->over = true;
    defer([this, id] { below_->close(id); });
  }
  void release(engine::StreamId id) override {
    Stream* stream = find(id);
    if (stream == nullptr) return;
    stream->over = stream->released = true;
    defer([this, id] { loses_ ? below_->close(id) : below_->release(id); });
  }
  void close_after_send(engine::StreamId id, Duration within, Duration linger) override {
    if (find(id) != nullptr) below_->close_after_send(id, within, linger);
  }

  void accept_more(bool wanted) override { below_->accept_more(wanted); }
  void listen(int fd, engine::AcceptHandler& handler) override { below_->listen(fd, handler); }
  void stop_listening() override { below_->stop_listening(); }
  bool watch(int fd, engine::ReadyHandler& handler) override { return below_->watch(fd, handler); }
  void post(std::function<void()> task) override { below_->post(std::move(task)); }
  TimePoint now() const override { return below_->now(); }
  engine::TimerWheel& timers() override { return below_->timers(); }
  std::size_t open_streams() const override { return streams_.size(); }
  void when_empty(std::function<void()> task) override {
    below_->when_empty([this, task = std::move(task)] {
      if (streams_.empty()) return task();
      when_empty_ = task;  // closed in the epoll engine, not reported yet
    });
  }
  void run() override { below_->run(); }
  void stop() override { below_->stop(); }

 private:
  struct Stream final : engine::StreamHandler {
    DeferringEngine& owner;
    engine::StreamHandler& to;
    engine::StreamId id;
    bool over = false, released = false;
    Stream(DeferringEngine& engine, engine::StreamHandler& handler) : owner(engine), to(handler) {}
    void on_connected(int error) override {
      if (!over) to.on_connected(error);
    }
    void on_stranger(const PeerOwner& found) override {
      if (!over) to.on_stranger(found);
    }
    std::size_t read_size() override { return over ? engine::kMinRead : to.read_size(); }
    void on_data(std::string_view bytes) override {
      if (!over) to.on_data(bytes);
    }
    void on_end() override {
      if (!over) to.on_end();
    }
    void on_writable() override {
      if (!over) to.on_writable();
    }
    void on_finished() override {
      if (!over) to.on_finished();
    }
    void on_failed(int error) override {
      if (!over) to.on_failed(error);
    }
    void on_peer_closing(bool reset) override {
      if (!over) to.on_peer_closing(reset);
    }
    void on_closed() override { owner.ended(*this, -1); }
    void on_released(int fd) override { owner.ended(*this, fd); }
  };

  template <typename Open>
  engine::StreamId keep(engine::StreamHandler& handler, Open open) {
    auto stream = std::make_unique<Stream>(*this, handler);
    stream->id = open(*stream);
    const engine::StreamId id = stream->id;
    if (id) streams_.emplace(key(id), std::move(stream));
    return id;
  }
  // A close after the tail is reported late, too.
  void ended(Stream& stream, int fd) {
    const bool told_late = mode_ == Mode::hold && !std::exchange(stream.over, true);
    const auto tell = [this, &stream, fd] {
      engine::StreamHandler& handler = stream.to;
      const bool released = fd >= 0 || stream.released;
      streams_.erase(key(stream.id));
      released ? handler.on_released(fd) : handler.on_closed();
    };
    if (told_late) return held_.push_back(tell);
    tell();
  }
  void defer(std::function<void()> step) {
    switch (mode_) {
      case Mode::at_once: return step();
      case Mode::hold: return held_.push_back(std::move(step));
      case Mode::late: return post([this, step = std::move(step)] { post(step); });
    }
  }
  /// Null: its handler has had its last event.
  Stream* find(engine::StreamId id) const {
    const auto found = streams_.find(key(id));
    return found == streams_.end() || found->second->over ? nullptr : found->second.get();
  }
  static std::uint64_t key(engine::StreamId id) { return static_cast<std::uint64_t>(id.index) << 32 | id.generation; }

  std::unordered_map<std::uint64_t, std::unique_ptr<Stream>> streams_;
  std::vector<std::function<void()>> held_;
  std::function<void()> when_empty_;
  std::unique_ptr<engine::Engine> below_;
  Mode mode_;
  bool loses_ = false;
  bool deaf_ = false;
};

}  // namespace gray::test
