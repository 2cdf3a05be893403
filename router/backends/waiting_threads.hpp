#pragma once
// Who waits for a socket of a version, across threads and routers, as the shared segment says it: how many requests, of
// which the number is exact, and which threads have one.
#include <cstddef>
#include <cstdint>

#include "config/shared/segment.hpp"
#include "router/backends/thread_counters.hpp"

namespace gray::proxy {

class WaitingThreads {
 public:
  /// `shard_id` is ours.
  WaitingThreads(segment::Layout& layout, ShardId shard_id) : layout_(layout), shard_id_(shard_id) {}

  /// A place for one more request of ours. False: `limit` of them are taken, by all threads and routers.
  bool take_place(std::uint32_t row, std::uint32_t limit) {
    return layout_.versions[row].waiting.acquire(shard_id_.router_slot, limit);
  }
  void leave_place(std::uint32_t row) { layout_.versions[row].waiting.release(shard_id_.router_slot); }
  std::size_t places_taken(std::uint32_t row) const { return layout_.versions[row].waiting.total(); }

  /// Our thread has a request that waits, or has none any more.
  void announce(std::uint32_t row) { ours(row).fetch_or(1u << shard_id_.thread); }
  void retract(std::uint32_t row) { ours(row).fetch_and(~(1u << shard_id_.thread)); }
  /// Whether any other thread, of whichever router, has one. Asked after a unit was given back: see segment.hpp.
  bool others(std::uint32_t row) const;
  /// Whether a thread of this router has one.
  bool waits(std::uint32_t row, std::uint32_t thread) const;
  /// The next thread of this router behind ours that has one; -1: only another router's threads do.
  int next(std::uint32_t row) const;

 private:
  std::atomic<std::uint32_t>& ours(std::uint32_t row) const {
    return layout_.versions[row].waiters[shard_id_.router_slot];
  }

  segment::Layout& layout_;
  ShardId shard_id_;
};

}  // namespace gray::proxy
