#pragma once
// Whose turn it is to make a step of a handshake. Pure: times are passed in.
//
// Model: a step costs as much processor time as a hundred requests, so one is made in a turn of the loop. While other
// streams are ready, the next step waits as long as the last one took: handshakes get at most half of the thread,
// however many clients begin one. Streams that wait are served in the order in which their bytes came. A handshake that
// has begun holds memory, so that at most kMaxHandshakes have: beyond, only they are served.
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
  /// A step was made.
  void stepped(TimePoint began, TimePoint ended) { after_ = ended + (ended - began); }
  /// Whether a step could be made.
  bool due() const { return !begun_.empty() || (!fresh_.empty() && !full()); }
  /// A handshake has begun, or ended.
  void begin() { ++in_progress_; }
  void end() { --in_progress_; }
  std::size_t in_progress() const { return in_progress_; }

 private:
  bool full() const { return in_progress_ >= kMaxHandshakes; }

  std::deque<StreamId> fresh_, begun_;
  std::size_t in_progress_ = 0;
  bool turn_ = false;
  TimePoint after_{};
};

}  // namespace gray::engine
