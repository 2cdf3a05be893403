#include "router/h2/budget.hpp"

#include <algorithm>
#include <chrono>

namespace gray::h2 {

// Only whole tokens are added, and the time is moved on by just as much, so that no part of one is lost.
bool TokenBucket::take(TimePoint now) {
  if (filled_ == TimePoint{}) filled_ = now;
  const auto apart = std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second_;
  const auto due = now > filled_ ? (now - filled_) / apart : 0;
  if (due >= size_ - tokens_) {
    tokens_ = size_;
    filled_ = std::max(now, filled_);
  } else {
    tokens_ += static_cast<std::uint32_t>(due);
    filled_ += std::chrono::duration_cast<Clock::duration>(apart * due);
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

bool Budget::usual(TimePoint now) {
  if (earned_ == 0) return glitch(now);
  --earned_;
  return true;
}

void Budget::earn(std::uint32_t frames) { earned_ = std::min(earned_ + frames, kMostEarned); }

bool Budget::reply(std::uint64_t written, std::uint64_t sent, std::uint32_t bytes) {
  if (sent >= mark_) {
    old_replies_ = new_replies_;
    old_bytes_ = new_bytes_;
    new_replies_ = new_bytes_ = 0;
    if (sent >= written) old_replies_ = old_bytes_ = 0;
    mark_ = written;
  }
  ++new_replies_;
  new_bytes_ += bytes;
  return old_replies_ + new_replies_ <= kMostReplies && old_bytes_ + new_bytes_ <= kMostReplyBytes;
}

}  // namespace gray::h2
