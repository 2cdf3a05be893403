#include "config/shared/segment.hpp"

namespace gray::segment {
namespace {

constexpr std::uint32_t kFieldBits = 16;
constexpr std::uint64_t kField = 0xffff;
static_assert(kRouterSlots * kFieldBits == 64, "one field of the word per slot");

std::uint32_t sum(std::uint64_t shares) {
  std::uint64_t total = 0;
  for (std::uint32_t slot = 0; slot < kRouterSlots; ++slot) total += shares >> (slot * kFieldBits) & kField;
  return static_cast<std::uint32_t>(total);
}

}  // namespace

// No field can overflow into its neighbour: the sum, and so each field, stays at or below `limit`, a 16-bit number.
bool LimitWord::acquire(std::uint32_t slot, std::uint32_t limit) {
  if (limit > kField) limit = kField;
  std::uint64_t seen = shares_.load(std::memory_order_relaxed);
  do {
    if (sum(seen) >= limit) return false;
  } while (!shares_.compare_exchange_weak(seen, seen + (1ull << (slot * kFieldBits)), std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
  return true;
}

// A release after forget() finds an empty field, and must not borrow from the neighbouring field.
bool LimitWord::release_above(std::uint32_t slot, std::uint32_t floor) {
  const std::uint32_t shift = slot * kFieldBits;
  std::uint64_t seen = shares_.load(std::memory_order_relaxed);
  do {
    if ((seen >> shift & kField) == 0 || sum(seen) <= floor) return false;
  } while (!shares_.compare_exchange_weak(seen, seen - (1ull << shift), std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
  return true;
}

void LimitWord::release(std::uint32_t slot) { release_above(slot, 0); }

std::uint32_t LimitWord::total() const { return sum(shares_.load(std::memory_order_seq_cst)); }

std::uint32_t LimitWord::share(std::uint32_t slot) const {
  return static_cast<std::uint32_t>(shares_.load(std::memory_order_acquire) >> (slot * kFieldBits) & kField);
}

void LimitWord::forget(std::uint32_t slot) {
  shares_.fetch_and(~(kField << (slot * kFieldBits)), std::memory_order_seq_cst);
}

}  // namespace gray::segment
