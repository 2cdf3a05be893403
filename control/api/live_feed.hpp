#pragma once
// The live feed: one picture of grayd (control/live/picture.hpp), made at most each 500 ms while anyone watches,
// written once, and sent to all watchers as Server-Sent Events. A thread of its own makes and sends it, so neither the
// master nor the threads of a server wait for a watcher.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "config/base/unique_fd.hpp"
#include "control/api/watchers.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class LiveFeed {
 public:
  static constexpr int kWatchers = 32;  // at each entrance
  enum class Entrance : std::uint8_t { admin, page };

  /// `writable`: whether the page may change something. `daemon` outlives it. `ended`: called once by its thread, after
  /// end(). Throws std::system_error without a thread or descriptors.
  LiveFeed(Daemon& daemon, bool writable, std::function<void()> ended = [] {}, Watchers::Limits limits = {});
  ~LiveFeed();  // end(), and waits for it

  /// A place for one more watcher; null if there is none, or after end(). Thread-safe.
  Watchers::Place take(Entrance entrance);
  /// From now on `connection` gets the pictures; the head of the answer was sent. Thread-safe.
  void add(UniqueFd connection, Watchers::Place place);
  /// Ends all streams. Thread-safe.
  void end();
  bool ending() const { return ending_; }
  bool ended() const { return ended_; }
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

 private:
  struct Impl;
  Seats admin_{kWatchers}, page_{kWatchers};
  std::atomic<bool> ending_{false}, ended_{false};
  std::unique_ptr<Impl> impl_;
  std::thread thread_;
};

}  // namespace gray::control
