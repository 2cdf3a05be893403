#include "router/proxy/client_watch.hpp"

#include <algorithm>
#include <utility>

namespace gray::proxy {

bool ClientWatch::begin() {
  if (state_ == State::on) return false;
  if (state_ == State::none) rate_ = {};
  state_ = State::on;
  return true;
}

// The exchange waits for a client when the kernel takes no more bytes for it. The progress of a slow client is seen in
// the kernel's queue: the kernel reports room only when a large part of its queue is free, which takes minutes.
bool ClientWatch::too_slow(const Sight& sight) {
  const bool waited_for = (sight.uploads && !std::exchange(excused_, false)) || sight.unsent > 0;
  const std::uint64_t moved = sight.moved - std::min<std::uint64_t>(sight.moved, sight.untaken);
  return rate_.too_slow(sight.now, moved, waited_for, sight.min_rate, sight.window);
}

}  // namespace gray::proxy
