#pragma once
// Requests of one thread that wait for a socket of one version. The count over all threads and routers is exact and
// lives in the shared segment; this is the order, the time and the early refusal. Intrusive, pure, `now` passed in.
//
// Model: a waiter has a deadline (queue_timeout). Oldest first while the queue is short-lived; once it has not been
// empty for kStanding, newest first: a fresh request still has a client that waits, an old one has probably not.
//
// Invariants
//  - Every waiter leaves exactly once: granted, expired, or removed because its client left. The queue advances on
//    every outcome of the request before, success or not.
//  - Deadlines never decrease from oldest to newest: after a reload with a shorter timeout a newcomer is given the
//    deadline of the one before it. So the oldest expires first, and if the newest is expired all are.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/time.hpp"

namespace gray::upstream {

inline constexpr Duration kStanding{100};

struct Waiter {
  Waiter* next = nullptr;  // towards newer
  Waiter* prev = nullptr;
  TimePoint since{};
  TimePoint deadline{};
  bool linked = false;
};

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  void push(Waiter& waiter, TimePoint now, Duration timeout);
  /// Next to be served by the order above; null: none. Expired ones stay linked, for pop_expired().
  Waiter* pop(TimePoint now);
  Waiter* oldest() const { return oldest_; }
  Waiter* pop_expired(TimePoint now);  // one whose deadline passed; call until null
  void remove(Waiter& waiter);         // its client left; no-op if not linked
  std::size_t size() const { return size_; }
  bool standing(TimePoint now) const;
  std::optional<TimePoint> next_deadline() const;  // of the oldest waiter
  std::optional<TimePoint> oldest_since() const;

 private:
  Waiter* oldest_ = nullptr;
  Waiter* newest_ = nullptr;
  std::size_t size_ = 0;
  TimePoint nonempty_since_{};
};

/// The same queue for one kind of waiters.
template <typename Seeker>
class QueueOf : private WaitQueue {
 public:
  void push(Seeker& seeker, TimePoint now, Duration timeout) { WaitQueue::push(seeker, now, timeout); }
  Seeker* pop(TimePoint now) { return static_cast<Seeker*>(WaitQueue::pop(now)); }  // nothing else was pushed
  void remove(Seeker& seeker) { WaitQueue::remove(seeker); }
  Seeker* oldest() const { return static_cast<Seeker*>(WaitQueue::oldest()); }
  using WaitQueue::size;
};

/// Mean service time, exponentially weighted (1/16), for the early refusal.
class ServiceTime {
 public:
  void add(Micros sample);
  Micros mean() const { return scaled_ / kWeight; }  // 0: not known yet

 private:
  static constexpr std::int64_t kWeight = 16;  // a new sample counts 1/16
  Micros scaled_{0};  // kWeight times the mean, because the sixteenth of few microseconds is none
};

/// Whether a request that would be number `position` (0: next) for `slots` sockets can be served in time:
/// position / slots * mean service time must stay within `limit`. Unknown service time or no slots: yes.
bool worth_waiting(std::size_t position, std::size_t slots, Micros mean_service, Duration limit);

}  // namespace gray::upstream
