#include "supervisor/restart_policy.hpp"

#include <algorithm>
#include <cmath>

namespace gray::supervisor {

Verdict RestartPolicy::ended(const WorkerEnd& end, TimePoint now) {
  if (end.exhausted) return {false, exhausted(end.streak + 1), end.streak + 1};
  if (gives_up(end, now)) return {true, Duration{0}, 0};
  if (end.stable) return {false, Duration{0}, 0};
  return {false, jittered(kFirstDelay, kMaxDelay, end.streak + 1), end.streak + 1};
}

bool RestartPolicy::gives_up(const WorkerEnd& end, TimePoint now) {
  while (!ends_.empty() && now - ends_.front() > kWindow) ends_.pop_front();
  ends_.push_back(now);
  if (ends_.size() > kEnds + 1) ends_.pop_front();
  if (end.start_failure && !ever_healthy_ && ++start_failures_ >= kStartFailures) return true;
  const bool too_many = ends_.size() > kEnds;
  crashing_ = too_many || (crashing_ && ends_.size() > 1);
  if (ever_ready_ && end.carries_traffic) return false;
  return end.hopeless || too_many;
}

Duration RestartPolicy::exhausted(unsigned nth) { return jittered(kFirstExhaustedDelay, kMaxExhaustedDelay, nth); }

// Doubling, capped, then spread by a fifth, so that workers that died together do not restart together.
Duration RestartPolicy::jittered(Duration first, Duration most, unsigned nth) {
  const double doubled = std::ldexp(static_cast<double>(first.count()), static_cast<int>(std::min(nth, 20u)) - 1);
  const double capped = std::min(doubled, static_cast<double>(most.count()));
  return Duration(std::llround(capped * std::uniform_real_distribution<double>(0.8, 1.2)(random_)));
}

}  // namespace gray::supervisor
