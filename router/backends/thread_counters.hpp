#pragma once
// What one thread of a router counts, in the shared segment, and the name of that thread.
#include <atomic>
#include <cstdint>

#include "config/shared/segment.hpp"

namespace gray::proxy {

/// One thread of one router.
struct ShardId {
  std::uint32_t router_slot = 0;  // of this router in the segment
  std::uint32_t thread = 0;       // of this router
};

class ThreadCounters {
 public:
  ThreadCounters(segment::Layout& layout, ShardId shard_id) : layout_(layout), shard_id_(shard_id) {}

  /// The row of this thread, announced to readers.
  segment::Row& row(std::uint32_t row) {
    if ((announced_ >> row & 1) == 0) announce(row);
    return layout_.rows[shard_id_.router_slot][shard_id_.thread][row];
  }
  /// Before anything is written to a row whose address was taken by idle_address().
  void announce(std::uint32_t row) {
    announced_ |= std::uint64_t{1} << row;
    segment::writable_row(layout_, shard_id_.router_slot, shard_id_.thread, row);
  }
  /// Where the gauge of idle sockets will be.
  std::atomic<std::uint32_t>& idle_address(std::uint32_t row) {
    return layout_.rows[shard_id_.router_slot][shard_id_.thread][row].idle;
  }
  segment::Layout& layout() { return layout_; }
  segment::WireCounts& wire() { return layout_.wire[shard_id_.router_slot][shard_id_.thread]; }
  segment::MemoryCounts& memory() { return layout_.memory[shard_id_.router_slot][shard_id_.thread]; }
  /// Lines of the access log that were lost, of all threads of this router.
  std::atomic<std::uint64_t>& log_lost() { return layout_.log_lost[shard_id_.router_slot]; }

 private:
  segment::Layout& layout_;
  ShardId shard_id_;
  std::uint64_t announced_ = 0;  // bit r: row r is announced
};
static_assert(segment::kVersions <= 64, "one bit per row");

}  // namespace gray::proxy
