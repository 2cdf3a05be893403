#pragma once
// The users who had a failed request lately, in the shared segment: a user is counted once for each version and kind of
// failure in kWindow, whichever thread or router notices it. Any thread of any router; lock-free; the memory is fixed.
//
// Model: a hash table without deletion. An entry is 40 bits of the key's hash and the second when it was made; an older
// one than kWindow is free. A key whose kProbes places all hold other users is not counted: the answer is `full`.
// Two threads that add the same key at the same time compete for the same place, so one of them sees the other's entry.
// All-zero memory is an empty table.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gray::segment {

class RecentUsers {
 public:
  static constexpr std::size_t kPlaces = std::size_t{1} << 16;
  static constexpr std::size_t kProbes = 16;
  static constexpr std::chrono::seconds kWindow{600};

  enum class Answer : std::uint8_t { first, again, full };
  /// `key`: a hash with 64 good bits; `now`: of the monotonic clock, which all processes share.
  Answer add(std::uint64_t key, std::chrono::seconds now);

 private:
  std::atomic<std::uint64_t> places_[kPlaces];
};

}  // namespace gray::segment
