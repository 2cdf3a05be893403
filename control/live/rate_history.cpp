#include "control/live/rate_history.hpp"

#include <algorithm>

namespace gray::control {
namespace {

double seconds_of(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

std::int64_t second_of(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::uint64_t risen(std::uint64_t before, std::uint64_t now) { return now < before ? now : now - before; }

}  // namespace

void RateHistory::read(TimePoint now, std::uint64_t requests, std::uint64_t errors) {
  const bool reset = requests < requests_;
  if (last_ && now > *last_)
    spread(*last_, now, static_cast<double>(risen(requests_, requests)),
           static_cast<double>(reset ? errors : risen(errors_, errors)));
  if (last_ && now <= *last_) return;  // two readings of one moment: the next one counts both
  last_ = now;
  requests_ = requests;
  errors_ = errors;
}

void RateHistory::spread(TimePoint from, TimePoint to, double requests, double errors) {
  const double begin = seconds_of(from), end = seconds_of(to), whole = end - begin;
  const auto last = second_of(to);
  const auto first = std::max(second_of(from), last - static_cast<std::int64_t>(kSeconds));
  for (auto second = first; second <= last; ++second) {
    const double part = std::min(end, static_cast<double>(second + 1)) - std::max(begin, static_cast<double>(second));
    if (part <= 0) continue;
    Bucket& its = buckets_[static_cast<std::size_t>(second) % buckets_.size()];
    if (its.second != second) its = {.second = second};
    its.watched = std::min(1.0, its.watched + part);
    its.requests += requests * part / whole;
    its.errors += errors * part / whole;
  }
}

const RateHistory::Bucket* RateHistory::bucket(std::int64_t second) const {
  const Bucket& its = buckets_[static_cast<std::size_t>(second) % buckets_.size()];
  return its.second == second && its.watched > 0 ? &its : nullptr;
}

std::optional<RateHistory::Recent> RateHistory::recent(TimePoint now) const {
  Bucket sum;
  for (auto second = second_of(now) - kRecent; second <= second_of(now); ++second)
    if (const Bucket* its = bucket(second)) {
      sum.watched += its->watched;
      sum.requests += its->requests;
      sum.errors += its->errors;
    }
  if (sum.watched <= 0) return std::nullopt;
  return Recent{.requests_per_second = sum.requests / sum.watched,
                .error_ratio = sum.requests > 0 ? std::min(1.0, sum.errors / sum.requests) : 0,
                .errors = sum.errors};
}

std::vector<double> RateHistory::seconds(TimePoint now) const {
  std::vector<double> rates;
  const auto current = second_of(now);
  for (auto second = current - static_cast<std::int64_t>(kSeconds); second < current; ++second) {
    const Bucket* its = bucket(second);
    rates.push_back(its == nullptr ? -1 : its->requests / its->watched);
  }
  return rates;
}

}  // namespace gray::control
