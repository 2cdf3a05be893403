#pragma once
// Backends without sockets: an engine whose streams do what a random test says, in simulated time, and requests that
// know only their state. Several threads of a router are several objects here, and their posts to each other are
// delivered one at a time, when the test says so.
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "router/backends/backends.hpp"
#include "router/backends/outbox.hpp"
#include "router/backends/upstream.hpp"
#include "router/wire/head.hpp"
#include "tests/router/backends/silent_engine.hpp"

namespace gray::test {

/// Streams are made by connect() and adopt(); they end when close() or release() was called and finish() is called.
class ScriptedEngine final : public SilentEngine {
 public:
  explicit ScriptedEngine(TimePoint& now) : now_(now), timers_(now) {}

  struct Stream {
    engine::StreamHandler* handler = nullptr;
    std::uint32_t generation = 0;
    bool connecting = false, ends = false, released = false;
  };
  std::vector<Stream>& streams() { return streams_; }
  /// The stream is told that it has ended, if close() or release() was called.
  void finish(std::size_t index) {
    Stream& stream = streams_[index];
    if (!stream.ends) return;
    engine::StreamHandler& handler = *std::exchange(stream.handler, nullptr);
    const bool released = stream.released;
    ++stream.generation;
    stream.ends = false;
    free_.push_back(index);
    --open_;
    released ? handler.on_released(kDescriptor) : handler.on_closed();
  }
  bool no_descriptors = false;  // as if the process had none left

  engine::StreamId adopt(int, engine::StreamHandler& handler, std::unique_ptr<engine::Transform>) override {
    return add(handler, false);
  }
  engine::StreamId connect(const Address&, uid_t, engine::StreamHandler& handler) override {
    return no_descriptors ? engine::StreamId{} : add(handler, true);
  }
  void close(engine::StreamId id) override { end(id, false); }
  void release(engine::StreamId id) override { end(id, true); }
  void abort(engine::StreamId id) override { end(id, false); }
  void close_after_send(engine::StreamId id, Duration, Duration) override { end(id, false); }

  bool is_open(engine::StreamId id) const override {
    return streams_[id.index].generation == id.generation && streams_[id.index].handler != nullptr;
  }
  void finish(engine::StreamId) override {}
  TimePoint now() const override { return now_; }
  engine::TimerWheel& timers() override { return timers_; }
  std::size_t open_streams() const override { return open_; }

 private:
  static constexpr int kDescriptor = 1 << 30;  // none that is open

  engine::StreamId add(engine::StreamHandler& handler, bool connecting) {
    if (free_.empty()) {
      free_.push_back(streams_.size());
      streams_.emplace_back();
    }
    const std::size_t index = free_.back();
    free_.pop_back();
    ++open_;
    Stream& stream = streams_[index];
    stream = {.handler = &handler, .generation = stream.generation, .connecting = connecting};
    return {static_cast<std::uint32_t>(index), stream.generation};
  }
  void end(engine::StreamId id, bool released) {
    Stream& stream = streams_[id.index];
    if (stream.generation != id.generation || stream.handler == nullptr || stream.ends) return;
    stream.ends = true;
    stream.released = released;
  }

  TimePoint& now_;
  engine::TimerWheel timers_;
  std::vector<Stream> streams_;
  std::vector<std::size_t> free_;
  std::size_t open_ = 0;
};

/// A request that holds its socket until the test answers or breaks it.
class RandomRequest final : public proxy::WorkerSeeker {
 public:
  enum class State : std::uint8_t { idle, waiting, holding };
  State state = State::idle;
  bool again = false;  // a repeated attempt
  proxy::Wish wish;
  proxy::Version* version = nullptr;
  proxy::Backends* backends = nullptr;
  const TimePoint* now = nullptr;
  int served = 0, refused = 0;

  /// Takes a socket, or waits for one, or is refused.
  void begin() {
    if (proxy::WorkerSide* side = backends->acquire(*version, *this, wish)) return take(*side);
    if (backends->enqueue(*version, *this) != segment::Reason::none) return refuse();
    state = State::waiting;
  }
  /// Its client leaves, or its time is over.
  void leave() {
    if (state == State::waiting) backends->leave_queue(*version, *this);
    if (state == State::holding) give_up(false);
    state = State::idle;
  }
  bool connecting() const { return state == State::holding && side_->connecting(); }

  bool wants_tunnel() const override { return false; }
  bool repeats() const override { return again; }
  void granted(proxy::WorkerSide& side) override { take(side); }
  void exhausted() override { refuse(); }
  void shed() override { refuse(); }
  void exhausted_tunnels() override { refuse(); }
  bool client_was_cut() const override { return slow; }
  void cut_as_slow() override { leave(); }

  void connected() override {}
  void failed(segment::Reason) override {
    give_up(true);
    again = true;
    wish.fresh = true;
    begin();
  }
  void interim(const http::Response&) override {}
  void response_head(const http::Response&) override {}
  void response_data(std::string_view) override {}
  void response_trailers(std::string_view) override {}
  void response_end() override {
    version->service_time.add(Micros{20'000}, *now);
    backends->slow_share().leave(*version, *this);
    use(nullptr);
    state = State::idle;
    ++served;
    std::exchange(side_, nullptr)->release();
  }
  void upgraded(const http::Response&, std::string_view) override {}
  void worker_bytes(std::string_view) override {}
  void worker_ended() override {}
  void worker_drained() override {}
  std::size_t answer_room() override { return engine::kMinRead; }
  void balance() override {}
  void worker_fault(const http::Fault&) override {}
  void version_withdrawn() override {}
  void end_tunnel(segment::Reason) override {}

 private:
  void take(proxy::WorkerSide& side) {
    side_ = &side;
    state = State::holding;
    use(&side.worker());
    if (slow) backends->slow_share().count(*version, *this);
    side.send_end();
  }
  void give_up(bool suspect) {
    backends->slow_share().leave(*version, *this);
    wish.avoid = suspect ? worker_->generation : 0;
    use(nullptr);
    std::exchange(side_, nullptr)->discard(suspect);
  }
  void refuse() {
    state = State::idle;
    ++refused;
  }
  void use(proxy::Worker* worker) {
    if (worker_ != nullptr) --worker_->in_flight;
    worker_ = worker;
    if (worker_ != nullptr) ++worker_->in_flight;
  }

  proxy::WorkerSide* side_ = nullptr;
  proxy::Worker* worker_ = nullptr;
};

/// The threads of one router.
class RandomBackends {
 public:
  explicit RandomBackends(std::uint32_t threads) {
    for (std::uint32_t i = 0; i < threads; ++i) threads_.push_back(std::make_unique<Thread>(*this, i));
  }

  struct Thread final : proxy::Neighbours {
    Thread(RandomBackends& all_threads, std::uint32_t number)
        : all(all_threads),
          index(number),
          engine(all_threads.now),
          outbox(engine),
          backends(engine, *all_threads.segment, {.router_slot = 0, .thread = number}, *this,
                   [this](proxy::ConnectionOwner& owner) {
                     return std::make_unique<proxy::Upstream>(
                         proxy::ShardContext{engine, all.buffers, outbox, all.memory}, scratch, owner, wire);
                   }) {}

    void hand_over(std::uint32_t to, int fd, std::uint32_t row, std::uint32_t cell, std::uint64_t generation) override {
      all.post([=, this] { all.at(to).backends.adopt(fd, row, cell, generation); });
    }
    void wake(std::uint32_t to, std::uint32_t row) override {
      all.post([=, this] { all.at(to).backends.advance(all.at(to).backends.version(row)); });
    }
    std::uint32_t threads() const override { return static_cast<std::uint32_t>(all.threads_.size()); }
    void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row) override {
      all.post([from, row, &one = *all.threads_[thread]] { one.backends.offer(from, row); });
    }
    void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row, std::uint32_t cell,
             std::uint64_t generation) override {
      all.post([=, &one = *all.threads_[thread]] { one.backends.offer(from, row, cell, generation); });
    }
    void wake_routers() override {}
    void met_stranger(std::uint32_t, std::uint64_t, const PeerOwner&) override {}
    void met_untrusted_proxy(const Address&) override {}
    void worker_unused() override {}

    RandomBackends& all;
    std::uint32_t index;
    ScriptedEngine engine;
    proxy::Outbox outbox;
    http::ResponseHead scratch;
    segment::WireCounts wire{};
    proxy::Backends backends;
  };

  Thread& at(std::uint32_t thread) { return *threads_[thread]; }
  std::size_t size() const { return threads_.size(); }
  void post(std::function<void()> task) { posts_.push_back(std::move(task)); }
  std::size_t posts() const { return posts_.size(); }
  /// Delivers the oldest post.
  void deliver() {
    if (posts_.empty()) return;
    const auto task = std::move(posts_.front());
    posts_.pop_front();
    task();
  }
  /// All that follows by itself: posts, and streams that were closed.
  void settle() {
    for (bool moved = true; moved;) {
      moved = !posts_.empty();
      while (!posts_.empty()) deliver();
      for (const auto& thread : threads_) {
        for (std::size_t i = 0; i < thread->engine.streams().size(); ++i) {
          if (!thread->engine.streams()[i].ends) continue;
          thread->engine.finish(i);
          moved = true;
        }
      }
    }
  }
  void apply(const RoutingTable& table) {
    for (const auto& thread : threads_) thread->backends.apply(table);
  }
  void pass(Duration time) {
    now += time;
    for (const auto& thread : threads_) thread->engine.timers().advance(now);
  }

  TimePoint now = TimePoint{} + Duration{3'600'000};
  segment::Segment segment = segment::Segment::create();
  engine::MemoryBudget memory{16 << 20};
  engine::BufferPool buffers{16 << 20};

 private:
  std::deque<std::function<void()>> posts_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace gray::test
