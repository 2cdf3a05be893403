#pragma once
// When the next request is due. A request that could not be sent in time is left out, not sent later: after a pause of
// grayd, or while all connections wait for slow answers, the users do not come all at once. Pure.
#include <algorithm>

#include "config/base/time.hpp"

namespace gray::demo {

class Pace {
 public:
  explicit Pace(Duration interval) : interval_(interval) {}

  /// The time of the next request; whoever took it sends it then.
  TimePoint take(TimePoint now) {
    next_ = std::max(next_ + interval_, now);
    return next_;
  }

 private:
  Duration interval_;
  TimePoint next_{};
};

}  // namespace gray::demo
