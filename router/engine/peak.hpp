#pragma once
// How much of a pool is freed after a peak: at each trim half of what exceeds a floor and 1.25 times the most that was
// in use since the last trim. So a peak is gone after some trims, and a load that comes and goes between two trims
// does not free what it needs again. Pure; the unit, bytes or objects, is the caller's. One thread.
#include <algorithm>
#include <cstddef>

namespace gray::engine {

class Peak {
 public:
  /// So much is in use now.
  void saw(std::size_t in_use) { most_ = std::max(most_, in_use); }

  /// What is to be freed of `spare`, while `in_use` is in use. The next interval begins.
  std::size_t trim(std::size_t in_use, std::size_t spare, std::size_t floor) {
    const std::size_t wanted = most_ + kept_of(most_, floor), all = in_use + spare;
    most_ = in_use;
    return all > wanted ? std::min(spare, (all - wanted + 1) / 2) : 0;
  }

  /// What is kept unused at last, while `in_use` is in use.
  static constexpr std::size_t kept_of(std::size_t in_use, std::size_t floor) { return floor + in_use / 4; }

 private:
  std::size_t most_ = 0;  // in use since the last trim
};

}  // namespace gray::engine
