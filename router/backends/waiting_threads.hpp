#pragma once
// The requests that wait for a socket of a version, across threads and routers, in the shared segment: their exact
// number, and which threads have one.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"
#include "router/backends/thread_counters.hpp"

namespace gray::proxy {

/// Which requests wait: none; only ones of slow clients (slow_share.hpp); others.
enum class Waiting : std::uint8_t { none, slow, fair };

class WaitingThreads {
 public:
  /// `shard_id` is ours.
  WaitingThreads(segment::Layout& layout, ShardId shard_id) : layout_(layout), shard_id_(shard_id) {}

  /// A place in the queue for one more request. False: all threads and routers together have `limit` of them.
  bool take_place(std::uint32_t row, std::uint32_t limit) {
    return layout_.versions[row].waiting.acquire(shard_id_.router_slot, limit);
  }
  void leave_place(std::uint32_t row) { layout_.versions[row].waiting.release(shard_id_.router_slot); }
  std::size_t places_taken(std::uint32_t row) const { return layout_.versions[row].waiting.total(); }

  /// This thread has a waiting request of that kind; it has none any more.
  void announce(std::uint32_t row, Waiting kind) { ours(row).fetch_or(bit(shard_id_.thread, kind)); }
  void retract(std::uint32_t row, Waiting kind) { ours(row).fetch_and(~bit(shard_id_.thread, kind)); }
  /// Likewise of requests that wait for one worker.
  void announce(segment::WorkerCell& cell) { cell.awaited[shard_id_.router_slot].fetch_or(bit(shard_id_.thread)); }
  void retract(segment::WorkerCell& cell) { cell.awaited[shard_id_.router_slot].fetch_and(~bit(shard_id_.thread)); }
  /// Whether another thread, of any router, has one.
  bool others(const segment::WorkerCell& cell) const;
  /// Whether that thread of this router has one.
  bool of(const segment::WorkerCell& cell, std::uint32_t thread) const {
    return (cell.awaited[shard_id_.router_slot].load(std::memory_order_relaxed) & bit(thread)) != 0;
  }
  int next(const segment::WorkerCell& cell) const;

  /// What the other threads of all routers have. To be called after a unit was given back: see segment.hpp.
  Waiting others(std::uint32_t row) const;
  /// What a thread of this router has.
  Waiting of(std::uint32_t row, std::uint32_t thread) const;
  /// The thread of this router, not this one, whose oldest one of that kind has waited longest; -1: no thread has one.
  int next(std::uint32_t row, Waiting kind) const;

  /// Since when the oldest one of this thread has waited; nothing: none waits. Before it is announced.
  void publish_oldest(std::uint32_t row, std::optional<TimePoint> since);
  /// The same of the other threads of all routers, but not of slow clients.
  std::optional<TimePoint> oldest_elsewhere(std::uint32_t row) const;

  /// All threads shed for a while: a thread that sheds says so again and again.
  void announce_shedding(std::uint32_t row, TimePoint until);
  bool shedding(std::uint32_t row, TimePoint now) const;

 private:
  static std::uint64_t bit(std::uint32_t thread, Waiting kind = Waiting::fair) {
    return std::uint64_t{1} << (kind == Waiting::slow ? segment::kThreads + thread : thread);
  }
  int next_in(std::uint64_t bits, Waiting kind) const;
  std::int64_t oldest_of(std::uint32_t router_slot, std::uint32_t thread, std::uint32_t row) const;
  std::atomic<std::uint64_t>& ours(std::uint32_t row) const {
    return layout_.versions[row].waiters[shard_id_.router_slot];
  }

  segment::Layout& layout_;
  ShardId shard_id_;
};

}  // namespace gray::proxy
