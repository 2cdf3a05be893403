#include "control/commands/long_polls.hpp"

#include <algorithm>
#include <utility>

namespace gray::control {

void LongPolls::wait(TimePoint now, Duration limit, Look look, Done done) {
  const bool at_once = ended_ || limit <= Duration{0} || waiting_.size() >= kMost;
  if (auto reply = look(at_once)) return done(std::move(*reply));
  waiting_.push_back({std::move(look), std::move(done), now + limit});
}

void LongPolls::changed(TimePoint now) {
  if (!waiting_.empty() && !look_due_) look_due_ = now + kGather;
}

/// Callbacks come last: an answered caller may ask again immediately.
void LongPolls::advance(TimePoint now) {
  const bool looks = look_due_ && now >= *look_due_;
  if (looks) look_due_.reset();
  std::list<Waiter> answered;
  std::list<Reply> replies;
  for (auto waiter = waiting_.begin(); waiter != waiting_.end();) {
    const auto next = std::next(waiter);
    const bool late = now >= waiter->deadline;
    auto reply = looks || late ? waiter->look(late) : std::nullopt;
    if (reply) {
      replies.push_back(std::move(*reply));
      answered.splice(answered.end(), waiting_, waiter);
    }
    waiter = next;
  }
  for (auto& waiter : answered) {
    waiter.done(std::move(replies.front()));
    replies.pop_front();
  }
}

std::optional<TimePoint> LongPolls::due() const {
  auto due = waiting_.empty() ? std::nullopt : look_due_;
  for (const auto& waiter : waiting_) due = due ? std::min(*due, waiter.deadline) : waiter.deadline;
  return due;
}

void LongPolls::end() {
  ended_ = true;
  for (auto& waiter : std::exchange(waiting_, {})) waiter.done(*waiter.look(true));
}

}  // namespace gray::control
