#pragma once
// Idle sockets to one worker: last in, first out, so that warm sockets are used and the surplus ages out at the other
// end. Intrusive: the links live in the connection, so nothing is allocated. Pure; `now` is passed in.
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/time.hpp"

namespace gray::upstream {

/// Base of a Socket that can be in a pool.
template <typename Socket>
struct IdleLink {
  Socket* newer = nullptr;
  Socket* older = nullptr;
  TimePoint since{};
  bool linked = false;
};

template <typename Socket>
class IdlePool {
 public:
  IdlePool() = default;
  /// Counts its sockets in `gauge` too, of which this thread is the only writer. Whoever puts a socket here, then finds
  /// that nobody waits, is seen by whoever announces that they wait, then reads the gauge: both use one order.
  explicit IdlePool(std::atomic<std::uint32_t>& gauge) : gauge_(&gauge) {}
  IdlePool(const IdlePool&) = delete;
  IdlePool& operator=(const IdlePool&) = delete;

  void put(Socket& socket, TimePoint now) {
    IdleLink<Socket>& link = socket;
    assert(!link.linked && "a socket is idle once");
    link = {.newer = nullptr, .older = newest_, .since = now, .linked = true};
    (newest_ != nullptr ? newest_->newer : oldest_) = &socket;
    newest_ = &socket;
    count(1);
  }
  /// Null: empty.
  Socket* take_newest() {
    Socket* socket = newest_;
    if (socket != nullptr) remove(*socket);
    return socket;
  }
  Socket* oldest() const { return oldest_; }
  /// The socket was closed; no-op if not linked.
  void remove(Socket& socket) {
    IdleLink<Socket>& link = socket;
    if (!link.linked) return;
    (link.newer != nullptr ? link.newer->older : newest_) = link.older;
    (link.older != nullptr ? link.older->newer : oldest_) = link.newer;
    link = {};
    count(-1);
  }
  std::size_t size() const { return size_; }
  /// The oldest one if it has been idle for `limit` at `now`, removed; null otherwise. Call until null.
  Socket* take_expired(TimePoint now, Duration limit) {
    Socket* socket = oldest_;
    if (socket == nullptr || now - socket->since < limit) return nullptr;
    remove(*socket);
    return socket;
  }
  /// When take_expired() will next have something.
  std::optional<TimePoint> next_deadline(Duration limit) const {
    if (oldest_ == nullptr) return std::nullopt;
    return oldest_->since + limit;
  }

 private:
  void count(int by) {
    size_ += static_cast<std::size_t>(by);
    if (gauge_ == nullptr) return;
    const std::uint32_t sockets = gauge_->load(std::memory_order_relaxed) + static_cast<std::uint32_t>(by);
    gauge_->store(sockets, by > 0 ? std::memory_order_seq_cst : std::memory_order_relaxed);
  }

  Socket* newest_ = nullptr;
  Socket* oldest_ = nullptr;
  std::size_t size_ = 0;
  std::atomic<std::uint32_t>* gauge_ = nullptr;
};

}  // namespace gray::upstream
