#include "router/upstream/shedding.hpp"

#include <algorithm>

namespace gray::upstream {
namespace {

constexpr int kTrialPart = 10;     // of queue_timeout: the longest wait of a trial
constexpr double kLongest = 1e15;  // microseconds: 30 years, so that a sum of estimates does not overflow

}  // namespace

Micros QueueLoad::wait_behind(std::size_t others) const {
  if (sockets == 0) return Micros{0};
  const double rounds = (static_cast<double>(others) + 0.5) / static_cast<double>(sockets);
  const double wait = rounds * static_cast<double>(mean_service.count());
  return Micros{static_cast<Micros::rep>(std::min(wait, kLongest))};
}

// Slow workers: at least one request for each socket may wait.
Micros Shedding::short_wait(const QueueLoad& load) {
  const Micros wait = std::min(kShortTargets * load.target(), load.limit / 2);
  return std::min(std::max(wait, load.mean_service), load.limit);
}

bool Shedding::admits(const QueueLoad& load, Micros oldest, TimePoint now) {
  if (load.waiting == 0) codel_.passed(Micros{0}, now, load.target());
  const Micros wait = load.wait_behind(load.waiting);
  judge(std::max(wait, oldest), load.limit, now);
  const bool admitted = wait <= (shedding_ || load.sheds_elsewhere ? short_wait(load) : load.limit);
  if (!admitted) ++refused_;
  return admitted;
}

void Shedding::judge(Micros wait, Micros limit, TimePoint now) {
  const bool on_trial = time_ > kFirstTime;
  if (!codel_.standing()) {
    shedding_ = false;
    time_ = kFirstTime;
  } else if (shedding_) {
    if (now < until_) return;
    shedding_ = refused_ <= kAtOnce * served_;
    if (shedding_) begin_period(now, kFirstTime);
  } else if (wait > limit / (on_trial ? kTrialPart : 2)) {
    shedding_ = true;
    begin_period(now, time_);
    time_ = std::min(2 * time_, kLongestTime);
  }
}

void Shedding::begin_period(TimePoint now, Duration time) {
  until_ = now + time;
  refused_ = served_ = 0;
}

bool Shedding::drops(const QueueLoad& load, Micros waited, std::size_t newer) const {
  return codel_.standing() && newest_first(load) && load.wait_behind(newer) > load.limit - waited;
}

}  // namespace gray::upstream
