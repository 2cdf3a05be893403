#include "grayd/followers.hpp"

#include <utility>

namespace gray::master {

void Followers::wait(Duration limit, Look look, Done done) {
  const bool at_once = ended_ || limit <= Duration{0} || waiting_.size() >= kMost;
  if (auto reply = look(at_once)) return done(std::move(*reply));
  waiting_.push_back({std::move(look), std::move(done), Clock::now() + limit});
  arm();
}

void Followers::end() {
  ended_ = true;
  release();
}

void Followers::release() {
  for (auto& follower : std::exchange(waiting_, {})) follower.done(*follower.look(true));
}

void Followers::arm() {
  if (waiting_.empty() || std::exchange(armed_, true)) return;
  timer_.expires_after(kGlance);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    armed_ = false;
    if (!error) glance();
  }));
}

void Followers::glance() {
  const auto now = Clock::now();
  for (auto follower = waiting_.begin(); follower != waiting_.end();) {
    auto reply = follower->look(now >= follower->deadline);
    if (!reply) {
      ++follower;
      continue;
    }
    follower->done(std::move(*reply));
    follower = waiting_.erase(follower);
  }
  arm();
}

}  // namespace gray::master
