#pragma once
// Requests of one thread that wait for a socket of one version. The count over all threads and routers is exact and
// lives in the shared segment; this part keeps the order and the deadlines (queue_timeout). Who may wait, and who is
// served first, is decided by shedding.hpp. Intrusive, pure, `now` is passed in.
//
// Invariants
//  - Every waiter leaves exactly once: granted, expired, or removed because its client left. The queue advances on
//    every outcome of the request before, success or not.
//  - Deadlines never decrease from oldest to newest: after a reload with a shorter timeout a newcomer is given the
//    deadline of the one before it. So the oldest expires first, and if the newest has expired all have.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/time.hpp"

namespace gray::upstream {

enum class Order : std::uint8_t { oldest_first, newest_first };

/// Base of a Seeker that can wait in a queue.
template <typename Seeker>
struct Waiter {
  Seeker* next = nullptr;  // towards newer
  Seeker* prev = nullptr;
  TimePoint since{};
  TimePoint deadline{};
  bool linked = false;
};

template <typename Seeker>
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  void push(Seeker& seeker, TimePoint now, Duration timeout) {
    Waiter<Seeker>& waiter = seeker;
    assert(!waiter.linked && "a request waits once");
    const TimePoint deadline = newest_ != nullptr ? std::max(now + timeout, newest_->deadline) : now + timeout;
    waiter = {.next = nullptr, .prev = newest_, .since = now, .deadline = deadline, .linked = true};
    (newest_ != nullptr ? newest_->next : oldest_) = &seeker;
    newest_ = &seeker;
    ++size_;
  }
  /// Next to be served; null: none. Expired ones stay linked, for pop_expired().
  Seeker* pop(TimePoint now, Order order = Order::oldest_first) {
    Seeker* seeker = newest_;
    if (seeker == nullptr || is_expired(*seeker, now)) return nullptr;
    if (order == Order::oldest_first) {
      for (seeker = oldest_; is_expired(*seeker, now);) seeker = seeker->next;
    }
    remove(*seeker);
    return seeker;
  }
  /// Removes a waiter whose deadline has passed; call until null.
  Seeker* pop_expired(TimePoint now) {
    Seeker* seeker = oldest_;
    if (seeker == nullptr || !is_expired(*seeker, now)) return nullptr;
    remove(*seeker);
    return seeker;
  }
  /// Its client left; no-op if not linked.
  void remove(Seeker& seeker) {
    Waiter<Seeker>& waiter = seeker;
    if (!waiter.linked) return;
    (waiter.next != nullptr ? waiter.next->prev : newest_) = waiter.prev;
    (waiter.prev != nullptr ? waiter.prev->next : oldest_) = waiter.next;
    waiter.next = waiter.prev = nullptr;
    waiter.linked = false;
    --size_;
  }
  Seeker* oldest() const { return oldest_; }
  std::size_t size() const { return size_; }
  /// Of the oldest waiter.
  std::optional<TimePoint> next_deadline() const {
    if (oldest_ == nullptr) return std::nullopt;
    return oldest_->deadline;
  }
  /// How long the oldest waiter has waited; 0 without one.
  Micros oldest_wait(TimePoint now) const {
    return oldest_ == nullptr ? Micros{0} : std::chrono::duration_cast<Micros>(now - oldest_->since);
  }

 private:
  static bool is_expired(const Waiter<Seeker>& waiter, TimePoint now) { return waiter.deadline <= now; }

  Seeker* oldest_ = nullptr;
  Seeker* newest_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gray::upstream
