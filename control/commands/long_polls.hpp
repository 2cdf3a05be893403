#pragma once
// Callers that wait for new entries: each is answered when there is one, or when its time is up. Pure: `now` is an
// argument, and the time of the next call is returned. Main thread; a look must be quick.
//
// Invariants: no look without a change; changes within kGather give one answer, so that a worker that writes without a
// pause does not make its readers ask without a pause.
#include <functional>
#include <list>
#include <optional>

#include "config/base/time.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class LongPolls {
 public:
  static constexpr std::size_t kMost = 64;  // waiting callers; further ones are answered immediately
  static constexpr Duration kGather{20};    // from a change to the look

  /// The answer; nothing: continue to wait. `must_answer`: the time is up, so an answer is required, even an empty one.
  using Look = std::function<std::optional<Reply>(bool must_answer)>;
  using Done = std::function<void(Reply)>;

  /// Calls `done` once, at the latest in the first advance() after `limit`.
  void wait(TimePoint now, Duration limit, Look look, Done done);
  /// Reports a change that a look may find.
  void changed(TimePoint now);
  /// Answers the callers with new entries, and those whose time is up.
  void advance(TimePoint now);
  /// The time for the next advance(); nothing while no caller waits.
  std::optional<TimePoint> due() const;
  /// Answers everyone now; callers that come later are answered at once.
  void end();
  /// After end(): callers may wait again.
  void resume() { ended_ = false; }
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
