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

// A client is waited for when the kernel takes no more for it. What it has taken is known more finely: the kernel says
// that it takes more only when a good part of what it holds is gone, which lasts minutes for a slow client.
bool ClientWatch::too_slow(const Sight& sight) {
  const bool waited_for = (sight.uploads && !std::exchange(excused_, false)) || sight.unsent > 0;
  const std::uint64_t moved = sight.moved - std::min<std::uint64_t>(sight.moved, sight.untaken);
  return rate_.too_slow(sight.now, moved, waited_for, sight.min_rate, sight.window);
}

}  // namespace gray::proxy
