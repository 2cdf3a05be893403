#include "control/report/last_minute.hpp"

#include <algorithm>

#include "config/shared/totals.hpp"

namespace gray::control {
namespace {

double milliseconds(Micros value) { return static_cast<double>(value.count()) / 1'000; }

}  // namespace

LastMinute::LastMinute(TimePoint now, const segment::Layout& layout, std::uint32_t row) : row_(row), sampled_(now) {
  last_ = read(layout, row);
}

LastMinute::Durations LastMinute::durations_of(const segment::Layout& layout, std::uint32_t row) {
  const auto totals = segment::sum(layout, row, &segment::Row::duration);
  Durations durations;
  for (std::uint32_t number = 0; number < segment::kHistogramBuckets; ++number)
    if (totals.buckets[number] > 0) durations.push_back({number, totals.buckets[number]});
  durations.shrink_to_fit();
  return durations;
}

LastMinute::Counts LastMinute::read(const segment::Layout& layout, std::uint32_t row) const {
  const auto totals = segment::sum(layout, row);
  Counts counts{totals.requests, totals.errors, {}};
  const bool idle = row == row_ && totals.requests == last_.requests;
  counts.durations = idle ? last_.durations : durations_of(layout, row);
  return counts;
}

std::optional<LastMinute::Counts> LastMinute::difference(const Counts& before, const Counts& after) {
  if (after.requests < before.requests || after.errors < before.errors) return std::nullopt;
  Counts step{after.requests - before.requests, after.errors - before.errors, {}};
  auto old = before.durations.begin();
  for (const Bucket& bucket : after.durations) {
    if (old != before.durations.end() && old->number < bucket.number) return std::nullopt;
    const bool known = old != before.durations.end() && old->number == bucket.number;
    const std::uint64_t earlier = known ? (old++)->count : 0;
    if (bucket.count < earlier) return std::nullopt;
    if (bucket.count > earlier) step.durations.push_back({bucket.number, bucket.count - earlier});
  }
  if (old != before.durations.end()) return std::nullopt;
  step.durations.shrink_to_fit();
  return step;
}

void LastMinute::sample(TimePoint now, const segment::Layout& layout, std::uint32_t row) {
  Counts counts = read(layout, row);
  auto step = row == row_ ? difference(last_, counts) : std::nullopt;
  if (!step) {
    steps_.clear();
    step = counts;
  }
  steps_.push_back({sampled_, std::move(*step)});
  std::erase_if(steps_, [now](const Step& one) { return !is_recent(one.from, now); });
  last_ = std::move(counts);
  sampled_ = now;
  row_ = row;
}

/// The counts since the last sample are the last step.
MinuteFigures LastMinute::figures(TimePoint now, const segment::Layout& layout, std::uint32_t row) const {
  LastMinute copy = *this;
  copy.sample(now, layout, row);
  std::uint64_t requests = 0, errors = 0, buckets[segment::kHistogramBuckets] = {};
  for (const Step& step : copy.steps_) {
    requests += step.counts.requests;
    errors += step.counts.errors;
    for (const Bucket& bucket : step.counts.durations) buckets[bucket.number] += bucket.count;
  }
  if (requests == 0) return {};
  constexpr double kShortest = 1;  // second: a rate over less is no rate
  const double seconds = std::chrono::duration<double>(now - copy.steps_.front().from).count();
  const auto total = static_cast<double>(requests);
  return {.requests_per_second = total / std::max(seconds, kShortest),
          .error_ratio = std::min(1.0, static_cast<double>(errors) / total),
          .p50_ms = milliseconds(segment::quantile(buckets, 0.5)),
          .p95_ms = milliseconds(segment::quantile(buckets, 0.95)),
          .p99_ms = milliseconds(segment::quantile(buckets, 0.99))};
}

}  // namespace gray::control
