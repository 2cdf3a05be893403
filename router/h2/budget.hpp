#pragma once
// How much of what costs us more than the peer a connection may do: token buckets. Pure: `now` in, verdicts out.
//
// Model: each kind has a bucket that is full at the beginning and is filled again at a constant rate. What an ordinary
// client does often for a reason, as WINDOW_UPDATE behind our DATA, is paid from what that traffic earned, and costs no
// token.
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::h2 {

class TokenBucket {
 public:
  TokenBucket(std::uint32_t size, std::uint32_t per_second) : size_(size), per_second_(per_second), tokens_(size) {}
  /// False: it is empty.
  bool take(TimePoint now);
  std::uint32_t tokens() const { return tokens_; }

 private:
  std::uint32_t size_, per_second_, tokens_;
  TimePoint filled_{};  // none: not yet used
};

class Budget {
 public:
  /// Each is false when the connection has gone too far: ENHANCE_YOUR_CALM.
  bool reset(TimePoint now) { return resets_.take(now); }      // of either side, for what the peer did
  bool refused(TimePoint now) { return refusals_.take(now); }  // a stream beyond the limit
  bool glitch(TimePoint now) { return glitches_.take(now); }   // SETTINGS, empty DATA, unknown frames
  /// WINDOW_UPDATE, PING and PRIORITY: from what is earned, first.
  bool usual(TimePoint now);
  /// A DATA frame with payload was sent: clients answer it with WINDOW_UPDATE, and measure with PING.
  void earn_by_data() { earn(kEarnedByData); }
  /// A request came: some clients send PRIORITY beside it.
  void earn_by_request() { earn(kEarnedByRequest); }

  /// Control replies that we wrote. They cost memory while the peer reads nothing. `written`: all bytes that were ever
  /// written before it, `sent`: those that the socket has taken.
  bool reply(std::uint64_t written, std::uint64_t sent, std::uint32_t bytes);

 private:
  void earn(std::uint32_t frames);

  static constexpr std::uint32_t kEarnedByData = 10, kEarnedByRequest = 2, kMostEarned = 10000;
  static constexpr std::uint32_t kMostReplies = 1000, kMostReplyBytes = 64 * 1024;

  TokenBucket resets_{100, 10}, glitches_{200, 10}, refusals_{200, 20};
  std::uint32_t earned_ = 0;
  // Replies are counted in two groups: those before a mark in the output, and those behind it. When everything before
  // the mark is sent, the second group becomes the first.
  std::uint64_t mark_ = 0;
  std::uint32_t old_replies_ = 0, old_bytes_ = 0, new_replies_ = 0, new_bytes_ = 0;
};

}  // namespace gray::h2
