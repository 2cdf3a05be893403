#pragma once
// An engine whose calls do nothing: the base of those that a test looks into.
#include "router/engine/engine.hpp"

namespace gray::test {

struct SilentEngine : engine::Engine {
  engine::TimerWheel wheel{TimePoint{}};

  void send(engine::StreamId, std::string_view) override {}
  void send_pieces(engine::StreamId, std::span<const std::string_view>) override {}
  std::size_t takes(engine::StreamId) const override { return engine::kMinRead; }
  engine::StreamId adopt(int, engine::StreamHandler&, std::unique_ptr<engine::Transform>) override { return {}; }
  engine::StreamId connect(const Address&, uid_t, engine::StreamHandler&) override { return {}; }
  std::optional<PeerOwner> peer(engine::StreamId) const override { return {}; }
  bool is_open(engine::StreamId) const override { return true; }
  std::size_t unsent(engine::StreamId) const override { return 0; }
  std::size_t untaken(engine::StreamId) const override { return 0; }
  bool acknowledged(engine::StreamId) const override { return true; }
  void acknowledge_received(engine::StreamId) override {}
  void count_write_errors(engine::StreamId, std::atomic<std::uint64_t>&) override {}
  void serve_first(engine::StreamId) override {}
  void pause(engine::StreamId, engine::Pause) override {}
  void resume(engine::StreamId, engine::Pause) override {}
  void finish(engine::StreamId) override {}
  void close(engine::StreamId) override {}
  void abort(engine::StreamId) override {}
  void close_after_send(engine::StreamId, Duration, Duration) override {}
  void release(engine::StreamId) override {}
  void listen(int, engine::AcceptHandler&) override {}
  void accept_more(bool) override {}
  void stop_listening() override {}
  bool watch(int, engine::ReadyHandler&) override { return true; }
  void post(std::function<void()>) override {}
  TimePoint now() const override { return {}; }
  engine::TimerWheel& timers() override { return wheel; }
  std::size_t open_streams() const override { return 0; }
  void when_empty(std::function<void()>) override {}
  void run() override {}
  void stop() override {}
};

}  // namespace gray::test
