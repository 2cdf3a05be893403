#pragma once
// The sums of one look at what a thread holds, and its largest holders. Also joins the looks of several threads. Pure.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "config/shared/memory_report.hpp"

namespace gray::stats {

class MemoryTally {
 public:
  /// The version in the segment; none: of no version.
  using Row = std::optional<std::uint32_t>;
  using Key = std::pair<MemoryOwner, Row>;

  void add(MemoryOwner owner, Row row, std::uint64_t bytes, std::uint64_t count = 1);
  /// Whether a holder of so many bytes, those in the kernel included, is among the largest so far.
  bool is_large(std::uint64_t bytes) const;
  void hold(MemoryHolder holder);
  /// Adds what another thread holds.
  void merge(const MemoryTally& other);
  const std::map<Key, MemoryShare>& shares() const { return shares_; }
  std::map<Key, MemoryShare>& shares() { return shares_; }
  const std::vector<MemoryHolder>& largest() const { return largest_; }
  void report(MemoryReport& to) const;

 private:
  std::map<Key, MemoryShare> shares_;
  std::vector<MemoryHolder> largest_;  // the largest first
};

/// The largest bytes of each share in any look since the start.
class MemoryMarks {
 public:
  void raise(const MemoryTally& look);
  /// Fills in the marks, also those of shares that are empty now.
  void mark(MemoryTally& look) const;
  /// A row that is used for another version begins anew.
  template <typename Used>
  void keep(Used used) {
    std::erase_if(marks_, [&](const auto& one) { return one.first.second && !used(*one.first.second); });
  }

 private:
  std::map<MemoryTally::Key, std::uint64_t> marks_;
};

}  // namespace gray::stats
