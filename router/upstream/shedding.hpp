#pragma once
// Who may wait in a version's queue, and in which order they are served. Pure: counts, times and `now` in, decisions
// out. One object for each version and thread.
//
// Model
//  - First come, first served. A newcomer is refused if its estimated wait exceeds queue_timeout.
//  - Shedding begins when the queue is standing (codel.hpp) and a newcomer would wait for longer than half of
//    queue_timeout.
//    Those who wait are served; newcomers are refused while their wait would be longer than short_wait(): so a lasting
//    overload is refused on arrival, and those who are admitted wait only as long as it takes to keep each socket busy.
//    It ends when the queue stands no longer. All threads shed together: else those of one would take the places that
//    another one refuses.
//  - Clients that ask again as soon as they are refused keep a queue standing, although it would serve all of them
//    soon: nothing but to admit them can tell. So if far more are refused than served, shedding also ends after
//    kFirstTime, the next time after twice that, and so on: all may wait again, until a newcomer would wait for longer
//    than a tenth of queue_timeout. A lasting overload makes such a trial ever rarer.
//
// CoDel itself would drop at the head of the queue whoever has waited for two targets. These have waited in vain, and
// an open load a little above the capacity has to be refused anyway: on arrival it costs nobody any time. So its
// measure of a standing queue is used, but only those are dropped at the head who have no chance.
//
// A source of estimates: the mean service time of finished requests, and the sockets. A queue whose oldest request has
// waited for half of queue_timeout is too long, whatever the estimate says.
#include <cstddef>
#include <cstdint>

#include "config/base/time.hpp"
#include "router/upstream/codel.hpp"

namespace gray::upstream {

/// The queue of a version, over all threads and routers.
struct QueueLoad {
  std::size_t waiting = 0;
  std::size_t sockets = 0;       // that can serve those who wait
  Micros mean_service{0};        // 0: not known yet
  Micros limit{0};               // queue_timeout
  bool sheds_elsewhere = false;  // another thread sheds

  /// The expected wait of a request behind `others` requests: they and, on average, half a service time of one socket.
  /// 0: not known.
  Micros wait_behind(std::size_t others) const;
  bool worth_waiting(std::size_t others) const { return wait_behind(others) <= limit; }
  /// Whether a newcomer should be served in time; `oldest`: how long the oldest one has waited. Before the first answer
  /// nothing else is known: a burst may wait for a new worker, but not for one that hangs.
  bool in_time(Micros oldest) const { return oldest < limit / 2 && worth_waiting(waiting); }
  Micros target() const { return Codel::target(mean_service, sockets); }
};

class Shedding {
 public:
  /// Of requests that are refused to those that are served: clients ask again at once.
  static constexpr std::uint64_t kAtOnce = 2;
  static constexpr Duration kFirstTime{500};
  static constexpr Duration kLongestTime{16'000};
  /// The wait of a newcomer while requests are shed: enough targets that hardly any socket finds nobody waiting.
  static constexpr int kShortTargets = 8;
  static Micros short_wait(const QueueLoad& load);

  /// A request comes that has to wait: whether it may. `load` is without it; `oldest`: how long the oldest one of this
  /// thread has waited, 0 without one.
  bool admits(const QueueLoad& load, Micros oldest, TimePoint now);
  /// A socket is free. `oldest`: as above, before anybody is taken out.
  void serves(const QueueLoad& load, Micros oldest, TimePoint now) {
    ++served_;
    codel_.passed(oldest, now, load.target());
  }
  static bool newest_first(const QueueLoad& load) { return load.wait_behind(load.waiting) > load.limit / 2; }
  /// Whether the oldest one is dropped: it has waited for `waited`, and `newer` requests go before it.
  bool drops(const QueueLoad& load, Micros waited, std::size_t newer) const;
  bool active() const { return shedding_ && codel_.standing(); }

 private:
  void judge(Micros wait, Micros limit, TimePoint now);
  void begin_period(TimePoint now, Duration time);

  Codel codel_;
  bool shedding_ = false;
  TimePoint until_{};  // while shedding: the end of this period
  Duration time_ = kFirstTime;
  std::uint64_t refused_ = 0, served_ = 0;  // in this period
};

}  // namespace gray::upstream
