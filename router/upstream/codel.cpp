#include "router/upstream/codel.hpp"

#include <algorithm>

namespace gray::upstream {

Micros Codel::target(Micros mean_service, std::size_t sockets) {
  if (sockets == 0) return kLeastTarget;
  return std::max(kLeastTarget, 2 * mean_service / static_cast<Micros::rep>(sockets));
}

void Codel::passed(Micros delay, TimePoint now, Micros target) {
  if (now > end_ && !begins_) {
    const bool was_empty = delay == Micros{0} && now > end_ + kInterval;
    standing_ = least_ > target && !was_empty;
    begins_ = true;
  }
  if (begins_) end_ = now + kInterval;
  least_ = begins_ ? delay : std::min(least_, delay);
  begins_ = false;
}

}  // namespace gray::upstream
