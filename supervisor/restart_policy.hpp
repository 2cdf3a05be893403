#pragma once
// Decides when a dead worker is started again, and when its version has failed. Pure: the history of one version, `now`
// and a random source in, a verdict out.
//
// A version that carries traffic and was ready once never fails: a slow retry is better than a permanent outage. A
// version that was never ready fails quickly, because it has no users and an operator waits for the result. A version
// that would have failed without its traffic is crashing; that is reported once for each such period.
#include <cstdint>
#include <deque>
#include <random>

#include "config/base/time.hpp"

namespace gray::supervisor {

/// How one process of the version ended.
struct WorkerEnd {
  bool start_failure = false;  // dead or stopped before it was useful: never ready, or never healthy
  bool stable = false;         // had been healthy for the stable run
  bool hopeless = false;       // the program cannot be run at all
  bool exhausted = false;      // the machine lacked a resource; not counted against the version
  bool carries_traffic = false;
  unsigned streak = 0;  // unstable ends of this slot in a row before this one
};

struct Verdict {
  bool give_up = false;
  Duration delay{0};    // until the next start
  unsigned streak = 0;  // the input for the next end
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
  /// More than kEnds ends within kWindow without failing: from the end that exceeds kEnds until an end that is alone in
  /// its window, or until the version is started again.
  bool crashing() const { return crashing_; }
  /// The delay after the `nth` (1, 2, ...) failure to create a process.
  Duration exhausted(unsigned nth);
  /// For config/base/archive.hpp; the random source starts with the seed again.
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
