#include "router/downstream/client_watch.hpp"

#include <algorithm>
#include <utility>

namespace gray::proxy {

bool ClientWatch::begin() {
  if (state_ == State::on) return false;
  if (state_ == State::none) rate_ = {};
  state_ = State::on;
  paced_ = false;
  return true;
}

void ClientWatch::begin_upload(TimePoint now, std::uint64_t moved) {
  begin();
  paced_ = true;
  pace_.begin(now, moved);
}

// The exchange waits for a client when the kernel takes no more bytes for it. The progress of a slow client is seen in
// the kernel's queue: the kernel reports room only when a large part of its queue is free, which takes minutes.
ClientWatch::Verdict ClientWatch::sample(const Sight& sight) {
  const bool waited_for = (sight.uploads && !std::exchange(excused_, false)) || sight.unsent > 0;
  const std::uint64_t moved = sight.moved - std::min<std::uint64_t>(sight.moved, sight.untaken);
  Verdict verdict{.too_slow = rate_.too_slow(sight.now, moved, waited_for, sight.min_rate, sight.window)};
  if (std::exchange(paced_, true)) {
    verdict.pace = pace_.rate(sight.now, moved, waited_for);
  } else {
    pace_.begin(sight.now, moved);
  }
  return verdict;
}

}  // namespace gray::proxy
