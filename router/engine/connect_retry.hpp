#pragma once
// When connects are tried again that found the backlog of a listener full. No event tells that there is room, so they
// are looked at: often at first, then each time after half of the time since a connect got through. So a connect waits
// for at most half as long again as the listener made it wait, and a listener that takes none for a second costs a
// dozen wake-ups. Pure; `now` is passed in.
#include <algorithm>

#include "config/base/time.hpp"

namespace gray::engine {

class ConnectRetry {
 public:
  static constexpr Duration kShortest{10}, kLongest{100};

  /// A connect got through, or one waits for a listener that was not waited for before.
  void begin(TimePoint now) { since_ = now; }
  TimePoint next(TimePoint now) const {
    const auto waited = std::chrono::duration_cast<Duration>(now - since_);
    return now + std::clamp(waited / 2, kShortest, kLongest);
  }

 private:
  TimePoint since_{};
};

}  // namespace gray::engine
