#pragma once
// When a dead worker is started again, and when its version gives up. Pure: the past of one version, `now` and a random
// source in, a verdict out.
//
// A version that carries traffic and was ready once never gives up: a slow retry beats an outage for good. A version
// that never got anywhere gives up quickly, because nobody depends on it and somebody waits for the answer. One that
// would have given up but for its traffic is crashing: somebody should look, once for each such time.
#include <cstdint>
#include <deque>
#include <random>

#include "config/base/time.hpp"

namespace gray::supervisor {

/// How one process of the version ended.
struct WorkerEnd {
  bool start_failure = false;  // dead or stopped before it was any use: never ready, or never healthy
  bool stable = false;         // had been healthy for the stable run
  bool hopeless = false;       // the program cannot be run at all
  bool exhausted = false;      // the machine was short of something; not counted against the version
  bool carries_traffic = false;
  unsigned streak = 0;  // unstable ends of this slot in a row before this one
};

struct Verdict {
  bool give_up = false;
  Duration delay{0};    // until the next start
  unsigned streak = 0;  // to be handed in at the next end
};

class RestartPolicy {
 public:
  static constexpr unsigned kStartFailures = 3;
  static constexpr std::size_t kEnds = 10;  // more within kWindow fail a version
  static constexpr Duration kWindow{300'000};
  static constexpr Duration kFirstDelay{500};
  static constexpr Duration kMaxDelay{30'000};
  static constexpr Duration kFirstExhaustedDelay{1'000};
  static constexpr Duration kMaxExhaustedDelay{60'000};

  explicit RestartPolicy(std::uint64_t seed) : random_(seed) {}

  void ready() { ever_ready_ = true; }
  void healthy() { ever_healthy_ = true; }
  Verdict ended(const WorkerEnd& end, TimePoint now);
  /// More than kEnds ends within kWindow, and it goes on: from the end that was too many until one that is alone in its
  /// window, or the version is started anew.
  bool crashing() const { return crashing_; }
  /// The delay after the `nth` (1, 2, ...) failure to make a process at all.
  Duration exhausted(unsigned nth);
  /// For config/base/archive.hpp; the random source begins anew.
  template <class Io>
  void archive(Io& io) {
    io("ever_ready", ever_ready_);
    io("ever_healthy", ever_healthy_);
    io("crashing", crashing_);
    io("start_failures", start_failures_);
    io("ends", ends_);
  }

 private:
  bool gives_up(const WorkerEnd& end, TimePoint now);
  Duration jittered(Duration first, Duration most, unsigned nth);

  std::mt19937_64 random_;
  bool ever_ready_ = false;
  bool ever_healthy_ = false;
  bool crashing_ = false;
  unsigned start_failures_ = 0;
  std::deque<TimePoint> ends_;  // within kWindow, at most kEnds + 1
};

}  // namespace gray::supervisor
