#include "config/shared/totals.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gray::segment {
namespace {

std::uint64_t get(const std::atomic<std::uint64_t>& cell) { return cell.load(std::memory_order_relaxed); }
std::uint64_t get(const std::atomic<std::uint32_t>& cell) { return cell.load(std::memory_order_relaxed); }

/// For a row without requests only the page of its counters is read, never its histograms.
template <typename Visit>
void for_each_row(const Layout& layout, std::uint32_t version_row, Visit visit) {
  for (std::uint32_t slot = 0; slot < kRouterSlots; ++slot) for_each_written(layout, slot, version_row, visit);
  visit(layout.base[version_row]);
}

void add_to(Totals& totals, const Row& row) {
  totals.requests += get(row.requests);
  totals.errors += get(row.errors);
  totals.retries += get(row.retries);
  totals.asset_retries += get(row.asset_retries);
  totals.affinity_spills += get(row.affinity_spills);
  totals.bytes_in += get(row.bytes_in);
  totals.bytes_out += get(row.bytes_out);
  for (std::size_t i = 0; i < std::size(row.status_class); ++i) totals.status_class[i] += get(row.status_class[i]);
  for (std::size_t i = 0; i < std::size(row.reasons); ++i) totals.reasons[i] += get(row.reasons[i]);
  for (std::size_t i = 0; i < std::size(row.retries_refused); ++i)
    totals.retries_refused[i] += get(row.retries_refused[i]);
  for (std::size_t i = 0; i < std::size(row.decisions); ++i) totals.decisions[i] += get(row.decisions[i]);
  totals.connects += get(row.connects);
  totals.connect_errors += get(row.connect_errors);
  totals.failing_users += get(row.failing_users);
  totals.reset_users += get(row.reset_users);
  totals.timed_out_users += get(row.timed_out_users);
  totals.users_uncounted += get(row.users_uncounted);
  totals.in_flight += get(row.in_flight);
  totals.waiting += get(row.waiting);
}

}  // namespace

Micros upper_bound(std::uint32_t bucket) {
  if (bucket < kHistogramSteps) return Micros{bucket};
  const std::uint32_t shift = bucket / kHistogramSteps - 1;
  const std::uint64_t next = std::uint64_t{kHistogramSteps + bucket % kHistogramSteps + 1} << shift;
  return Micros{static_cast<std::int64_t>(next - 1)};
}

Micros quantile(const std::uint64_t (&buckets)[kHistogramBuckets], double q) {
  const std::uint64_t total = std::accumulate(std::begin(buckets), std::end(buckets), std::uint64_t{0});
  const auto rank = std::max(1.0, std::ceil(q * static_cast<double>(total)));
  std::uint64_t seen = 0;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < kHistogramBuckets; ++i) {
    if (buckets[i] == 0) continue;
    seen += buckets[i];
    last = i;
    if (static_cast<double>(seen) >= rank) break;
  }
  return upper_bound(last);
}

Totals sum(const Layout& layout, std::uint32_t version_row) {
  Totals totals;
  for_each_row(layout, version_row, [&](const Row& row) { add_to(totals, row); });
  return totals;
}

HistogramTotals sum(const Layout& layout, std::uint32_t version_row, Histogram Row::* which) {
  HistogramTotals totals;
  for_each_row(layout, version_row, [&](const Row& row) {
    if (get(row.requests) == 0) return;
    const Histogram& histogram = row.*which;
    for (std::uint32_t i = 0; i < kHistogramBuckets; ++i) totals.buckets[i] += get(histogram.buckets[i]);
    totals.sum += get(histogram.sum);
  });
  return totals;
}

Samples sum_samples(const Layout& layout, std::uint32_t version_row) {
  Samples samples{};
  for_each_row(layout, version_row, [&](const Row& row) {
    if (get(row.requests) == 0) return;
    for (std::uint32_t i = 0; i < kHistogramBuckets; ++i) samples[i] += row.samples[i].load(std::memory_order_relaxed);
  });
  return samples;
}

std::uint64_t distinct_users(const VersionCell& cell) {
  constexpr double kBits = 64 * kUserWords;
  int set = 0;
  for (const auto& word : cell.users) set += std::popcount(word.load(std::memory_order_relaxed));
  const double clear = std::max(1.0, kBits - set);
  return std::min(kMostUsers, static_cast<std::uint64_t>(std::llround(kBits * std::log(kBits / clear))));
}

}  // namespace gray::segment
