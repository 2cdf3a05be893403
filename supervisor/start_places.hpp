#pragma once
// How many workers may start at once, of all versions together: a start is the heaviest moment of most programs, and
// workers that died together must not start together. Pure.
//
// A place is taken from the start until the worker is ready or dead, but not for longer than kBurst: a program that is
// slow to become ready mostly waits for something else, and one that hangs must not keep a version with traffic down.
#include <algorithm>
#include <cstddef>
#include <optional>

#include "config/base/time.hpp"

namespace gray::supervisor {

class StartPlaces {
 public:
  static constexpr Duration kBurst{1'000};

  /// Half of the processors, so that those who serve keep the others; one at least.
  explicit StartPlaces(unsigned processors) : left_(std::max(1u, processors / 2)) {}

  /// A worker is starting since then; it may be more of them than there are places, from before.
  void occupy(TimePoint since, TimePoint now) {
    const TimePoint until = since + kBurst;
    if (until <= now) return;
    if (left_ > 0) --left_;
    if (!next_ || until < *next_) next_ = until;
  }
  bool free() const { return left_ > 0; }
  /// When a place becomes free at the latest; nothing while none is taken.
  std::optional<TimePoint> next_free() const { return next_; }

 private:
  std::size_t left_;
  std::optional<TimePoint> next_;
};

}  // namespace gray::supervisor
