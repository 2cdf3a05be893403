#pragma once
// Assigns the cells of the shared segment to worker processes; a cell holds the limits of its worker. A returned cell
// is not reused while a router still holds a socket to its old worker, so that no unit is ever released that was not
// acquired in the new worker's count.
#include <cstdint>
#include <deque>
#include <optional>

#include "config/shared/segment.hpp"

namespace gray::master {

class Cells {
 public:
  explicit Cells(segment::Segment& segment);

  /// The cell that was returned longest ago and has no open socket, cleared; nothing when there is none.
  std::optional<std::uint32_t> take();
  void give(std::uint32_t cell) { free_.push_back(cell); }
  /// Sockets and tunnels that all routers hold to the worker of this cell.
  std::uint32_t open(std::uint32_t cell) const;

  template <class Io>
  void archive(Io& io) {
    io("free", free_);
  }

 private:
  segment::Segment& segment_;
  std::deque<std::uint32_t> free_;  // returned longest ago first
};

}  // namespace gray::master
