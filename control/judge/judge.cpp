#include "control/judge/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "config/shared/totals.hpp"

namespace gray::control {
namespace {

// Errors are what most faults show, and a release should end within a few failed users: they get the larger part.
constexpr double kRisks[] = {0.6, 0.1, 0.1, 0.1, 0.1};
static_assert(std::size(kRisks) == static_cast<std::size_t>(Metric::count));

constexpr double kAlone = 99.5;            // percent: too few requests of stable are left to compare with
constexpr double kReferenceMax = 200'000;  // older ones fade
constexpr Metric kAll[] = {Metric::errors, Metric::resets, Metric::timeouts, Metric::slow, Metric::latency};

double risk_of(Metric metric) { return Judge::kRisk * kRisks[static_cast<std::size_t>(metric)]; }

std::uint64_t count_of(const std::vector<std::uint32_t>& samples) {
  return std::accumulate(samples.begin(), samples.end(), std::uint64_t{0});
}

double middle_us(std::uint32_t bucket) {
  const auto upper = static_cast<double>(segment::upper_bound(bucket).count());
  const auto lower = bucket == 0 ? 0 : static_cast<double>(segment::upper_bound(bucket - 1).count());
  return std::max(1.0, (upper + lower + 1) / 2);
}

const std::array<double, segment::kHistogramBuckets>& logs() {
  static const auto all = [] {
    std::array<double, segment::kHistogramBuckets> values{};
    for (std::uint32_t i = 0; i < values.size(); ++i) values[i] = std::log(middle_us(i));
    return values;
  }();
  return all;
}

double quantile_ms(const std::vector<std::uint32_t>& samples, double q) {
  std::uint64_t buckets[segment::kHistogramBuckets] = {};
  std::copy(samples.begin(), samples.end(), std::begin(buckets));
  return static_cast<double>(segment::quantile(buckets, q).count()) / 1000;
}

}  // namespace

double Judge::Side::exposure(std::size_t metric) const {
  return static_cast<double>(metric == static_cast<std::size_t>(Metric::slow) ? before.samples + now.samples
                                                                              : before.requests + now.requests);
}

Judge::Window Judge::Side::recent() const {
  return {before.requests + now.requests, before.samples + now.samples, before.log_sum + now.log_sum};
}

void Judge::begin(TimePoint now) {
  for (auto& evidence : events_) evidence.begin(now);
  latency_.begin(now);
  weights_.clear();
  weight_changed(now);
}

void Judge::weight_changed(TimePoint now) {
  canary_ = stable_ = {};
  window_ends_ = now + kWindow;
  failed_.reset();
}

void Judge::observe(TimePoint now, double weight, const Step& canary, const Step& stable) {
  roll(now, weight);
  const Counts of_canary = events_of(canary), of_stable = events_of(stable);
  gather(canary_, canary, of_canary);
  gather(stable_, stable, of_stable);
  if (weight < kAlone) {
    compare(now, canary, of_canary, stable, of_stable);
    remember(stable, of_stable);
  } else {
    compare_alone(now, canary, of_canary);
  }
  if (const auto metric = alarm()) {
    failed_ = metric;
    failed_at_ = now;
  } else if (failed_ && now - failed_at_ >= kRecovery) {
    failed_.reset();
  }
}

/// The weights of the past fall: one that is not above a later one is of no use.
void Judge::roll(TimePoint now, double weight) {
  weight_ = weight;
  while (!weights_.empty() && weights_.back().second <= weight) weights_.pop_back();
  weights_.emplace_back(now + kSettle, weight);
  while (weights_.front().first < now) weights_.pop_front();
  if (now < window_ends_) return;
  const bool missed = now >= window_ends_ + kWindow;
  for (Side* side : {&canary_, &stable_}) {
    side->before = missed ? Window{} : side->now;
    side->now = {};
  }
  window_ends_ = now + kWindow;
}

Judge::Counts Judge::events_of(const Step& step) const {
  Counts counts{step.failing_users, step.reset_users, step.timed_out_users, 0};
  for (auto i = segment::bucket_of(limit_) + 1; i < step.samples.size(); ++i)
    counts[static_cast<std::size_t>(Metric::slow)] += step.samples[i];
  return counts;
}

void Judge::gather(Side& side, const Step& step, const Counts& events) const {
  side.sum.requests += step.requests;
  side.sum.targeted += step.targeted;
  side.sum.errors += step.errors;
  side.sum.failing_users += step.failing_users;
  side.sum.overflowed |= step.overflowed;
  side.sum.users = step.users;
  side.now.requests += step.compared();
  for (std::size_t i = 0; i < kEvents; ++i) side.events[i] += events[i];
  if (step.samples.empty()) return;
  side.sum.samples.resize(segment::kHistogramBuckets);
  for (std::size_t i = 0; i < step.samples.size(); ++i) {
    if (step.samples[i] == 0) continue;
    side.sum.samples[i] += step.samples[i];
    side.now.samples += step.samples[i];
    side.now.log_sum += logs()[i] * step.samples[i];
  }
}

double Judge::share(std::size_t metric) const {
  const double canary = canary_.exposure(metric), all = canary + stable_.exposure(metric);
  const double part = all > 0 ? canary / all : 1;
  if (metric == static_cast<std::size_t>(Metric::slow)) return part;
  return std::max(part, weights_.front().second / 100);
}

void Judge::compare(TimePoint now, const Step& canary, const Counts& of_canary, const Step& stable,
                    const Counts& of_stable) {
  for (std::size_t i = 0; i < kEvents; ++i) events_[i].add(now, share(i), of_canary[i], of_stable[i]);
  static const std::vector<std::uint32_t> none(segment::kHistogramBuckets);
  if (canary.samples.empty() && stable.samples.empty()) return;
  const auto of = [](const Step& step) { return LatencyEvidence::Buckets(step.samples.empty() ? none : step.samples); };
  latency_.add(now, of(canary), of(stable));
}

void Judge::compare_alone(TimePoint now, const Step& canary, const Counts& counts) {
  for (std::size_t i = 0; i < kEvents; ++i) {
    const bool slow = i == static_cast<std::size_t>(Metric::slow);
    events_[i].add_alone(now, ratio_of_stable(i), counts[i], slow ? count_of(canary.samples) : canary.compared());
  }
}

void Judge::remember(const Step& stable, const Counts& events) {
  for (std::size_t i = 0; i < kEvents; ++i) {
    const bool slow = i == static_cast<std::size_t>(Metric::slow);
    reference_.exposure[i] += static_cast<double>(slow ? count_of(stable.samples) : stable.compared());
    reference_.events[i] += static_cast<double>(events[i]);
    if (reference_.exposure[i] <= kReferenceMax) continue;
    reference_.exposure[i] /= 2;
    reference_.events[i] /= 2;
  }
}

/// An upper bound: the estimate, two standard deviations, and some more for few events.
double Judge::ratio_of_stable(std::size_t metric) const {
  const double exposure = reference_.exposure[metric], events = reference_.events[metric];
  return exposure < kMinRequests ? 1 : (events + 2 * std::sqrt(events) + 3) / exposure;
}

std::optional<Metric> Judge::alarm() const {
  for (const Metric metric : kAll) {
    const auto i = static_cast<std::size_t>(metric);
    const bool evident =
        metric == Metric::latency ? latency_.alarm(risk_of(metric)) : events_[i].alarm(risk_of(metric));
    if (evident && matters(metric)) return metric;
  }
  return std::nullopt;
}

bool Judge::matters(Metric metric) const {
  if (metric != Metric::latency) return canary_.events[static_cast<std::size_t>(metric)] >= kMinFailed;
  const Window canary = canary_.recent(), stable = stable_.recent();
  if (canary.samples < kMinSamples || stable.samples < kMinSamples) return false;
  const double of_canary = std::exp(canary.log_sum / static_cast<double>(canary.samples));
  const double of_stable = std::exp(stable.log_sum / static_cast<double>(stable.samples));
  return of_canary >= of_stable * kMinSlowdown && of_canary - of_stable >= kMinSlowdownMs * 1000;
}

std::string Judge::missing() const {
  if (canary_.sum.overflowed || stable_.sum.overflowed) return "too many users fail at once to count them";
  if (canary_.sum.compared() < kMinRequests)
    return fmt::format("the canary has had {} of {} requests", canary_.sum.compared(), kMinRequests);
  if (weight_ < kAlone && stable_.sum.compared() < kMinRequests)
    return fmt::format("stable has had {} of {} requests to compare with", stable_.sum.compared(), kMinRequests);
  if (weight_ >= kAlone && reference_.exposure[0] < kMinRequests)
    return "stable gets no requests, and what it had before is not known";
  return {};
}

std::string Judge::words(Metric metric) const {
  const auto canary = figures(canary_), stable = figures(stable_);
  const auto count = metric == Metric::latency ? 0 : canary_.events[static_cast<std::size_t>(metric)];
  const auto errors = fmt::format("{:.2f}% of its requests failed, {:.2f}% of those of stable",
                                  100 * canary.error_ratio, 100 * stable.error_ratio);
  switch (metric) {
    case Metric::errors: return fmt::format("{} ({} users)", errors, canary.failed);
    case Metric::resets: return fmt::format("it closed the connections of {} users; {}", count, errors);
    case Metric::timeouts: return fmt::format("it did not answer {} users in time; {}", count, errors);
    case Metric::slow: return fmt::format("{} answers took longer than {} ms", count, limit_.count());
    case Metric::latency:
      return fmt::format("half of its answers take longer than {:.1f} ms; with stable {:.1f} ms", canary.p50_ms,
                         stable.p50_ms);
    case Metric::count: break;
  }
  return {};
}

Figures Judge::figures(const Side& side) {
  Figures figures{side.sum.requests, side.sum.users, side.sum.failing_users, 0, 0, 0};
  if (side.sum.requests > 0)
    figures.error_ratio = static_cast<double>(side.sum.errors) / static_cast<double>(side.sum.requests);
  if (!side.sum.samples.empty()) {
    figures.p50_ms = quantile_ms(side.sum.samples, 0.5);
    figures.p99_ms = quantile_ms(side.sum.samples, 0.99);
  }
  return figures;
}

Verdict Judge::verdict() const {
  Verdict verdict{VerdictResult::pass, failed_, {}, figures(stable_), figures(canary_)};
  if (failed_) {
    verdict.result = VerdictResult::fail;
    verdict.text = words(*failed_);
  } else if (verdict.text = missing(); !verdict.text.empty()) {
    verdict.result = VerdictResult::insufficient;
  }
  return verdict;
}

}  // namespace gray::control
