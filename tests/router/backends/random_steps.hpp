#pragma once
// A random test of the queue: what happens to requests, sockets, workers and clients is chosen at random, and after
// each few hundred steps nobody may wait for a socket that is there.
#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <numeric>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "tests/router/backends/random_backends.hpp"

namespace gray::test {

/// Two services with two workers each; the users of the second one stay on a worker. Requests begin, end, fail and
/// leave at random, sockets close late, workers come and go.
class RandomSteps {
 public:
  RandomSteps(unsigned seed, std::uint32_t threads) : all_(threads), random_(seed) {
    for (int i = 0; i < 60; ++i) requests_.emplace_back();
    for (std::uint64_t& generation : workers_) generation = ++generations_;
    apply();
  }

  void step() {
    const std::uint32_t choice = below(1'000);
    if (choice < 350) return begin(requests_[below(60)]);
    if (choice < 650) return answer(any_stream());
    if (choice < 760) return connect(any_stream(), below(20) == 0 ? ECONNREFUSED : 0);
    if (choice < 790) return fail(any_stream());
    if (choice < 830) return requests_[below(60)].leave();
    if (choice < 900) return finish(any_stream());
    if (choice < 985) return all_.deliver();
    if (choice < 996) return pass(Duration{below(40)});
    if (choice < 998) return out_of_descriptors(below(4) == 0);
    replace(below(kWorkers));
  }
  /// Nobody waits for a socket that is there.
  void check() {
    settle();
    for (std::uint32_t i = 0; i < all_.size(); ++i) {
      for (std::uint32_t row = 0; row < kRows; ++row) {
        const proxy::Version& version = all_.at(i).backends.version(row);
        for (const proxy::Worker& worker : version.workers) {
          const bool wanted = version.queue.size() + worker.awaiting.size() > 0;
          if (!wanted || !worker.able || is_suspect(row, worker.generation) || all_.at(i).engine.no_descriptors)
            continue;
          INFO("thread " << i << ", row " << row << ": " << version.queue.size() << " wait for any worker, "
                         << worker.awaiting.size() << " for this one, " << version.slow_queue.size() << " are slow");
          REQUIRE(all_.segment->workers[worker.cell].sockets.total() == kSockets);
          REQUIRE(idle(row, worker.generation) == 0);
        }
      }
    }
  }
  /// All requests end, without any time passing for those that wait; then nothing is held any more.
  void drain() {
    out_of_descriptors(false);
    pass(Duration{1'100});  // no worker is suspect any more
    settle();
    const auto busy = [this] {
      return std::any_of(requests_.begin(), requests_.end(),
                         [](const RandomRequest& request) { return request.state != RandomRequest::State::idle; });
    };
    const TimePoint begun = all_.now;
    while (busy() && all_.now < begun + Duration{900}) {
      for (std::uint32_t i = 0; i < all_.size(); ++i) {
        for (std::size_t index = 0; index < all_.at(i).engine.streams().size(); ++index) {
          connect({&all_.at(i), index}, 0);
          answer({&all_.at(i), index});
        }
      }
      settle();
    }
    REQUIRE_FALSE(busy());
    for (std::uint32_t row = 0; row < kRows; ++row) {
      const segment::VersionCell& cell = all_.segment->versions[row];
      CHECK(cell.waiting.total() == 0);
      CHECK(cell.slow.total() == 0);
      CHECK(cell.waiters[0] == 0);
      for (std::uint32_t i = 0; i < all_.size(); ++i) {
        CHECK(all_.segment->rows[0][i][row].waiting == 0);
        CHECK(all_.segment->rows[0][i][row].oldest_since == 0);
      }
    }
    std::size_t sockets = 0, streams = 0;
    for (const segment::WorkerCell& cell : all_.segment->workers) sockets += cell.sockets.total();
    for (const segment::WorkerCell& cell : all_.segment->workers) REQUIRE(cell.awaited[0] == 0);
    for (std::uint32_t i = 0; i < all_.size(); ++i) streams += all_.at(i).engine.open_streams();
    CHECK(sockets == streams);
  }
  int served() const {
    return std::accumulate(requests_.begin(), requests_.end(), 0,
                           [](int sum, const RandomRequest& request) { return sum + request.served; });
  }
  int late = 0;  // left because queue_timeout was over

 private:
  static constexpr std::uint32_t kRows = 2, kWorkers = 4, kSockets = 2;
  static constexpr Duration kTimers = 2 * engine::TimerWheel::kTick;  // so late may a timer be
  struct Stream {
    RandomBackends::Thread* thread = nullptr;
    std::size_t index = 0;
  };

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  RandomBackends::Thread& any_thread() { return all_.at(below(static_cast<std::uint32_t>(all_.size()))); }
  Stream any_stream() {
    RandomBackends::Thread& thread = any_thread();
    const auto count = static_cast<std::uint32_t>(thread.engine.streams().size());
    Stream stream{&thread, 0};
    for (int tries = 0; tries < 4 && count > 0; ++tries) {
      stream.index = below(count);
      if (thread.engine.streams()[stream.index].handler != nullptr) break;
    }
    return stream;
  }
  ScriptedEngine::Stream* open(const Stream& stream) {
    auto& streams = stream.thread->engine.streams();
    if (stream.index >= streams.size()) return nullptr;
    ScriptedEngine::Stream& found = streams[stream.index];
    return found.handler == nullptr || found.ends ? nullptr : &found;
  }
  void out_of_descriptors(bool none) {
    for (std::uint32_t i = 0; i < all_.size(); ++i) all_.at(i).engine.no_descriptors = none;
  }
  void finish(const Stream& stream) {
    if (stream.index < stream.thread->engine.streams().size()) stream.thread->engine.finish(stream.index);
  }
  void begin(RandomRequest& request) {
    if (request.state != RandomRequest::State::idle) return;
    request.backends = &any_thread().backends;
    request.version = &request.backends->version(below(kRows));
    request.now = &all_.now;
    request.slow = below(8) == 0;
    request.again = false;
    request.wish = {.affinity = request.version->affinity ? 1 + below(9) : 0};
    request.begin();
  }
  void answer(const Stream& stream) {
    ScriptedEngine::Stream* found = open(stream);
    if (found == nullptr || found->connecting) return;
    if (static_cast<proxy::Upstream*>(found->handler)->idle() && below(50) > 0) return;
    found->handler->on_data(below(10) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                                           : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
  void connect(const Stream& stream, int error) {
    ScriptedEngine::Stream* found = open(stream);
    if (found == nullptr || !std::exchange(found->connecting, false)) return;
    found->handler->on_connected(error);
  }
  void fail(const Stream& stream) {
    ScriptedEngine::Stream* found = open(stream);
    if (found == nullptr || found->connecting) return;
    below(2) == 0 ? found->handler->on_end() : found->handler->on_failed(ECONNRESET);
  }
  void pass(Duration time) {
    all_.pass(time);
    for (RandomRequest& request : requests_) {
      if (request.state != RandomRequest::State::waiting || request.deadline > all_.now) continue;
      ++late;
      request.leave();
    }
  }
  void settle() {
    all_.settle();
    pass(engine::TimerWheel::kTick);
    all_.settle();
  }
  std::size_t idle(std::uint32_t row, std::uint64_t generation) {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < all_.size(); ++i) {
      for (const proxy::Worker& worker : all_.at(i).backends.version(row).workers)
        count += worker.generation == generation ? worker.idle.size() : 0;
    }
    return count;
  }
  bool is_suspect(std::uint32_t row, std::uint64_t generation) {
    for (std::uint32_t i = 0; i < all_.size(); ++i) {
      for (const proxy::Worker& worker : all_.at(i).backends.version(row).workers)
        if (worker.generation == generation && worker.suspect_until + kTimers > all_.now) return true;
    }
    return false;
  }
  void replace(std::uint32_t worker) {
    workers_[worker] = workers_[worker] == 0 ? ++generations_ : 0;
    apply();
  }
  void apply() {
    RoutingTable table;
    for (std::uint32_t row = 0; row < kRows; ++row) {
      ServiceRoute service{.name = std::to_string(row)};
      service.affinity = row == 1;
      service.limits = Limits{.max_sockets = kSockets, .queue = 12, .queue_grows = false};
      service.limits.queue_timeout = Duration{1'000};
      service.versions.push_back({.row = row, .name = "v1"});
      for (std::uint32_t i = row * 2; i < row * 2 + 2; ++i) {
        if (workers_[i] == 0) continue;
        const auto cell = static_cast<std::uint32_t>(workers_[i] % segment::kWorkers);
        service.versions[0].workers.push_back(
            {.cell = cell, .generation = workers_[i], .id = std::to_string(workers_[i])});
      }
      table.services.push_back(std::move(service));
    }
    all_.apply(table);
  }

  RandomBackends all_;
  std::mt19937_64 random_;
  std::deque<RandomRequest> requests_;
  std::array<std::uint64_t, kWorkers> workers_{};  // the generation; 0: there is none
  std::uint64_t generations_ = 0;
};

}  // namespace gray::test
