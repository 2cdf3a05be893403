#pragma once
// Callers who wait for something to be said: each is answered once there is something, or when their time is up. Pure:
// `now` comes in, and the time of the next call goes out. Main thread; a look must be quick.
//
// Invariants: nothing is looked at while nothing changed; changes within kGather make one answer, so that a worker that
// writes without a pause does not make its readers ask without one.
#include <functional>
#include <list>
#include <optional>

#include "config/base/time.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class LongPolls {
 public:
  static constexpr std::size_t kMost = 64;  // waiting at once; who comes then is answered at once
  static constexpr Duration kGather{20};    // from a change to the look for it

  /// What there is to say; nothing: wait on. `must_answer`: the time is up, say what there is.
  using Look = std::function<std::optional<Reply>(bool must_answer)>;
  using Done = std::function<void(Reply)>;

  /// Calls `done` once, at the latest in the first advance() after `limit`.
  void wait(TimePoint now, Duration limit, Look look, Done done);
  /// Something that a look may find has changed.
  void changed(TimePoint now);
  /// Answers those for whom there is something, and those whose time is up.
  void advance(TimePoint now);
  /// When advance() is due; nothing while nobody waits.
  std::optional<TimePoint> due() const;
  /// Answers everybody now.
  void release();
  /// The same, and whoever comes from now on is answered at once.
  void end();
  std::size_t count() const { return waiting_.size(); }

 private:
  struct Waiter {
    Look look;
    Done done;
    TimePoint deadline;
  };

  std::list<Waiter> waiting_;
  std::optional<TimePoint> look_due_;
  bool ended_ = false;
};

}  // namespace gray::control
