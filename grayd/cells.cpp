#include "grayd/cells.hpp"

#include <algorithm>

namespace gray::master {

Cells::Cells(segment::Segment& segment) : segment_(segment) {
  for (std::uint32_t cell = 0; cell < segment::kWorkers; ++cell) free_.push_back(cell);
}

std::optional<std::uint32_t> Cells::take() {
  const auto unused = std::find_if(free_.begin(), free_.end(), [&](std::uint32_t cell) { return open(cell) == 0; });
  if (unused == free_.end()) return std::nullopt;
  const auto cell = *unused;
  free_.erase(unused);
  segment_.clear_worker(cell);
  return cell;
}

std::uint32_t Cells::open(std::uint32_t cell) const {
  const auto& worker = segment_->workers[cell];
  return worker.sockets.total() + worker.tunnels.total();
}

}  // namespace gray::master
