#pragma once
// What one thread of a router counts, in the shared segment.
#include <atomic>
#include <cstdint>

#include "config/shared/segment.hpp"

namespace gray::proxy {

struct Place {
  std::uint32_t slot = 0;    // of this router in the segment
  std::uint32_t thread = 0;  // of this router
};

class ThreadCounters {
 public:
  ThreadCounters(segment::Layout& layout, Place place) : layout_(layout), place_(place) {}

  segment::Row& row(std::uint32_t row) { return layout_.rows[place_.slot][place_.thread][row]; }
  segment::WireCounts& wire() { return layout_.wire[place_.slot][place_.thread]; }
  /// Lines of the access log that were lost, of all threads of this router.
  std::atomic<std::uint64_t>& log_lost() { return layout_.log_lost[place_.slot]; }

 private:
  segment::Layout& layout_;
  Place place_;
};

}  // namespace gray::proxy
