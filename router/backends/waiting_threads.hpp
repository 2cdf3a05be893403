#pragma once
// The requests that wait for a socket of a version, across threads and routers, in the shared segment: their exact
// number, and which threads have one.
#include <cstddef>
#include <cstdint>

#include "config/shared/segment.hpp"
#include "router/backends/thread_counters.hpp"

namespace gray::proxy {

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

  /// This thread has a waiting request; it has none any more.
  void announce(std::uint32_t row) { ours(row).fetch_or(1u << shard_id_.thread); }
  void retract(std::uint32_t row) { ours(row).fetch_and(~(1u << shard_id_.thread)); }
  /// Whether any other thread, of any router, has one. To be called after a unit was given back: see segment.hpp.
  bool others(std::uint32_t row) const;
  /// Whether a thread of this router has one.
  bool waits(std::uint32_t row, std::uint32_t thread) const;
  /// The next thread of this router after this one that has one; -1: no thread of this router does.
  int next(std::uint32_t row) const;

 private:
  std::atomic<std::uint32_t>& ours(std::uint32_t row) const {
    return layout_.versions[row].waiters[shard_id_.router_slot];
  }

  segment::Layout& layout_;
  ShardId shard_id_;
};

}  // namespace gray::proxy
