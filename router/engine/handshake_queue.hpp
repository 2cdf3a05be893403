#pragma once
// Whose turn it is to make a step of a handshake. Pure: times are passed in.
//
// Model: a step costs as much processor time as a hundred requests, so one is made in a turn of the loop. While other
// streams are ready, the next step waits as long as the last one took: handshakes get at most half of the thread,
// however many clients begin one. Streams that wait are served in the order in which their bytes came. A handshake
// that has begun holds memory, so that at most kMaxHandshakes have: beyond, only they are served. While others wait
// for one to end, one that has lasted longer than kPatience is cut: else as many silent clients would keep everybody
// out. What is queued is bounded by the number of streams: those that have closed are forgotten.
#include <cstddef>
#include <deque>
#include <optional>

#include "config/base/time.hpp"
#include "router/engine/engine.hpp"

namespace gray::engine {

class HandshakeQueue {
 public:
  /// `begun`: its handshake holds memory already.
  void add(StreamId stream, bool begun) { (begun ? begun_ : fresh_).push_back(stream); }
  /// The next one, if a step may be made now. `busy`: other streams are ready.
  std::optional<StreamId> next(TimePoint now, bool busy) {
    if ((busy && now < after_) || !due()) return std::nullopt;
    // A handshake that goes on frees memory when it ends, and a new one must not wait forever: they take turns.
    const bool goes_on = fresh_.empty() || full() || (!begun_.empty() && (turn_ = !turn_));
    auto& from = goes_on ? begun_ : fresh_;
    const StreamId stream = from.front();
    from.pop_front();
    return stream;
  }
  /// Whether more is queued than there are streams, because some have closed: prune() is due.
  bool overgrown(std::size_t streams) const {
    return fresh_.size() + begun_.size() + oldest_.size() > 4 * streams + kMaxHandshakes;
  }
  /// Forgets streams that are gone.
  template <typename IsOpen>
  void prune(IsOpen is_open) {
    std::erase_if(fresh_, [&](StreamId stream) { return !is_open(stream); });
    std::erase_if(begun_, [&](StreamId stream) { return !is_open(stream); });
    std::erase_if(oldest_, [&](const Begun& one) { return !is_open(one.stream); });
  }
  /// A step was made.
  void stepped(TimePoint began, TimePoint ended) { after_ = ended + (ended - began); }
  /// Whether a step could be made.
  bool due() const { return !begun_.empty() || (!fresh_.empty() && !full()); }
  static constexpr Duration kPatience{1'000};
  static constexpr Duration kLook{100};  // how often overdue() is to be asked while crowded()

  /// A handshake has begun, or ended.
  void begin(StreamId stream, TimePoint now) {
    ++in_progress_;
    oldest_.push_back({stream, now});
  }
  void end() { --in_progress_; }
  /// New handshakes wait for others to end.
  bool crowded() const { return full() && !fresh_.empty(); }
  /// While crowded(): the oldest handshake, if it has lasted for too long. `goes_on`: whether a stream that has begun
  /// one has not ended it.
  template <typename GoesOn>
  std::optional<StreamId> overdue(TimePoint now, GoesOn goes_on) {
    while (!oldest_.empty() && !goes_on(oldest_.front().stream)) oldest_.pop_front();
    if (!crowded() || oldest_.empty() || now - oldest_.front().since < kPatience) return std::nullopt;
    const StreamId stream = oldest_.front().stream;
    oldest_.pop_front();
    return stream;
  }
  /// Whether overdue() has something to look at.
  bool any() const { return !oldest_.empty(); }

 private:
  bool full() const { return in_progress_ >= kMaxHandshakes; }

  struct Begun {
    StreamId stream;
    TimePoint since;
  };
  std::deque<StreamId> fresh_, begun_;
  std::deque<Begun> oldest_;  // with some that have ended
  std::size_t in_progress_ = 0;
  bool turn_ = false;
  TimePoint after_{};
};

}  // namespace gray::engine
