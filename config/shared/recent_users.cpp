#include "config/shared/recent_users.hpp"

namespace gray::segment {
namespace {

constexpr std::uint64_t kTimeBits = 24;  // 194 days
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << kTimeBits) - 1;

}  // namespace

RecentUsers::Answer RecentUsers::add(std::uint64_t key, std::chrono::seconds now) {
  // Second 0 of the stored time marks an empty place, so no time is stored as 0.
  const std::uint64_t second = static_cast<std::uint64_t>(now.count()) % kTimeMask + 1;
  const std::uint64_t tag = key & ~kTimeMask;
  const auto is_live = [&](std::uint64_t entry) {
    const std::uint64_t made = entry & kTimeMask;
    return made != 0 && (second + kTimeMask - made) % kTimeMask < static_cast<std::uint64_t>(kWindow.count());
  };
  const auto place = [&](std::size_t probe) -> auto& { return places_[(key + probe) % kPlaces]; };
  for (std::size_t i = 0; i < kProbes; ++i) {
    const auto entry = place(i).load(std::memory_order_relaxed);
    if (is_live(entry) && (entry & ~kTimeMask) == tag) return Answer::again;
  }
  for (std::size_t i = 0; i < kProbes; ++i) {
    auto entry = place(i).load(std::memory_order_relaxed);
    while (!is_live(entry)) {
      if (place(i).compare_exchange_weak(entry, tag | second, std::memory_order_relaxed)) return Answer::first;
    }
    if ((entry & ~kTimeMask) == tag) return Answer::again;
  }
  return Answer::full;
}

}  // namespace gray::segment
