#pragma once
// Limits how many workers start at the same time, over all versions: a start is the most expensive phase of most
// programs, and workers that died together must not start together. Pure.
//
// A place is taken from the start until the worker answers a probe, is ready or dead, but at most for kBurst: a program
// that is slow to become ready mostly waits for something else, and a program that hangs must not keep a version with
// traffic down.
#include <algorithm>
#include <cstddef>
#include <optional>

#include "config/base/time.hpp"

namespace gray::supervisor {

class StartPlaces {
 public:
  static constexpr Duration kBurst{1'000};

  /// Half of the processors, so that serving workers keep the others; at least one.
  explicit StartPlaces(unsigned processors) : left_(std::max(1u, processors / 2)) {}

  /// A worker has been starting since `since`. There may be more such workers than places.
  void occupy(TimePoint since, TimePoint now) {
    const TimePoint until = since + kBurst;
    if (until <= now) return;
    if (left_ > 0) --left_;
    if (!next_ || until < *next_) next_ = until;
  }
  bool free() const { return left_ > 0; }
  /// The latest time when a place becomes free; nothing if none is taken.
  std::optional<TimePoint> next_free() const { return next_; }

 private:
  std::size_t left_;
  std::optional<TimePoint> next_;
};

}  // namespace gray::supervisor
