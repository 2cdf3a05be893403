#include "grayd/releases/release_clock.hpp"

#include <asio/post.hpp>
#include <utility>

#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"

namespace gray::master {

void ReleaseClock::soon() {
  if (!releases_.attentive() || std::exchange(pending_, true)) return;
  asio::post(io_, lifetime_.guard([this] { look(); }));
}

/// The time of day may have jumped when the timer fires: it is looked at again.
void ReleaseClock::look() {
  pending_ = false;
  const auto next = releases_.advance(wall_now(), Clock::now());
  looked_();
  timer_.cancel();
  if (!next) return;
  timer_.expires_after(*next);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) soon();
  }));
}

}  // namespace gray::master
