#include "router/stats/memory_tally.hpp"

#include <algorithm>

namespace gray::stats {
namespace {

std::uint64_t held_by(const MemoryHolder& holder) { return holder.bytes + holder.kernel_bytes; }

}  // namespace

void MemoryTally::add(MemoryOwner owner, Row row, std::uint64_t bytes, std::uint64_t count) {
  MemoryShare& share = shares_[{owner, row}];
  share.owner = owner;
  share.row = row;
  share.bytes += bytes;
  share.count += count;
}

bool MemoryTally::is_large(std::uint64_t bytes) const {
  return largest_.size() < kLargestHolders || bytes > held_by(largest_.back());
}

void MemoryTally::hold(MemoryHolder holder) {
  if (!is_large(held_by(holder))) return;
  const auto smaller = [&](const MemoryHolder& one) { return held_by(one) < held_by(holder); };
  largest_.insert(std::ranges::find_if(largest_, smaller), std::move(holder));
  if (largest_.size() > kLargestHolders) largest_.pop_back();
}

void MemoryTally::merge(const MemoryTally& other) {
  for (const auto& [key, share] : other.shares_) {
    add(share.owner, share.row, share.bytes, share.count);
    shares_[key].high_water += share.high_water;
  }
  for (const MemoryHolder& holder : other.largest_) hold(holder);
}

void MemoryTally::report(MemoryReport& to) const {
  for (const auto& [key, share] : shares_)
    if (to.shares.size() < kMemoryShares) to.shares.push_back(share);
  to.largest = largest_;
}

void MemoryMarks::raise(const MemoryTally& look) {
  for (const auto& [key, share] : look.shares()) {
    std::uint64_t& mark = marks_[key];
    mark = std::max(mark, share.bytes);
  }
}

void MemoryMarks::mark(MemoryTally& look) const {
  for (const auto& [key, mark] : marks_) {
    look.add(key.first, key.second, 0, 0);
    look.shares()[key].high_water = mark;
  }
}

}  // namespace gray::stats
