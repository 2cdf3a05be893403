#pragma once
// The allowlist of a service as a router reads it: a view of the table that the master built
// (config/settings/allowlist.hpp), which is mapped elsewhere. A look-up costs one hash and, on average, fewer than two
// slots.
#include <cstdint>
#include <span>
#include <string_view>

#include "config/settings/allowlist.hpp"

namespace gray::targeting {

class AllowlistTable {
 public:
  AllowlistTable() = default;
  /// `slots`: a power of two, of which at least one is empty; they outlive the object.
  explicit AllowlistTable(std::span<const std::uint64_t> slots) : slots_(slots.data()), mask_(slots.size() - 1) {}

  explicit operator bool() const { return slots_ != nullptr; }
  bool contains(std::string_view id) const {
    const std::uint64_t hash = allowlist_hash(id);
    for (std::uint64_t at = hash & mask_; slots_[at] != 0; at = (at + 1) & mask_)
      if (slots_[at] == hash) return true;
    return false;
  }

 private:
  const std::uint64_t* slots_ = nullptr;
  std::uint64_t mask_ = 0;
};

}  // namespace gray::targeting
