#include "router/stats/row.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace gray::stats {
namespace {

using segment::Reason;

constexpr std::uint32_t kStepBits = 4;  // 16 steps for each power of two
constexpr std::uint32_t kSteps = 1u << kStepBits;
constexpr std::uint64_t kLargest = (1ull << 32) - 1;

std::uint64_t get(const std::atomic<std::uint64_t>& cell) { return cell.load(std::memory_order_relaxed); }
std::uint64_t get(const std::atomic<std::uint32_t>& cell) { return cell.load(std::memory_order_relaxed); }

/// Whether a status of 500 and above came from the version, or was made by the router because of it.
bool is_about_version(Reason reason) {
  switch (reason) {
    case Reason::none:
    case Reason::client_gone:
    case Reason::connect_failed:
    case Reason::upstream_closed:
    case Reason::upstream_invalid:
    case Reason::connect_timeout:
    case Reason::response_timeout: return true;
    default: return false;
  }
}

/// Rows that were never written to are holes of the memfd, and reading a hole allocates it: of each idle row only the
/// page of its counters is touched, never its histograms.
template <typename Visit>
void for_each_row(const segment::Layout& layout, std::uint32_t version_row, Visit visit) {
  for (const auto& slot : layout.rows) {
    for (const auto& thread : slot) visit(thread[version_row]);
  }
  visit(layout.base[version_row]);
}

void add_to(Totals& totals, const segment::Row& row) {
  totals.requests += get(row.requests);
  totals.errors += get(row.errors);
  totals.retries += get(row.retries);
  totals.bytes_in += get(row.bytes_in);
  totals.bytes_out += get(row.bytes_out);
  for (std::size_t i = 0; i < std::size(row.status_class); ++i) totals.status_class[i] += get(row.status_class[i]);
  for (std::size_t i = 0; i < std::size(row.reasons); ++i) totals.reasons[i] += get(row.reasons[i]);
  for (std::size_t i = 0; i < std::size(row.decisions); ++i) totals.decisions[i] += get(row.decisions[i]);
  totals.connects += get(row.connects);
  totals.connect_errors += get(row.connect_errors);
  totals.in_flight += get(row.in_flight);
  totals.waiting += get(row.waiting);
}

}  // namespace

void record(segment::Row& row, const Outcome& outcome) {
  add(row.requests);
  if (is_error(outcome.status, outcome.reason)) add(row.errors);
  add(row.status_class[outcome.status >= 100 && outcome.status < 600 ? outcome.status / 100 : 0]);
  add(row.reasons[static_cast<std::size_t>(outcome.reason)]);
  add(row.decisions[static_cast<std::size_t>(outcome.decision)]);
  add(row.retries, outcome.retries);
  add(row.bytes_in, outcome.bytes_in);
  add(row.bytes_out, outcome.bytes_out);
  record(row.duration, outcome.duration);
}

bool is_error(int status, Reason reason) { return status >= 500 && is_about_version(reason); }

void record_failed_attempt(segment::Row& row) { add(row.errors); }

void record(segment::Histogram& histogram, Micros value) {
  add(histogram.buckets[bucket_of(value)]);
  add(histogram.sum, static_cast<std::uint64_t>(std::max(value, Micros{0}).count()));
}

std::uint32_t bucket_of(Micros value) {
  const auto wide = static_cast<std::uint64_t>(std::max(value, Micros{0}).count());
  const auto micros = static_cast<std::uint32_t>(std::min(wide, kLargest));
  if (micros < kSteps) return micros;
  const auto shift = static_cast<std::uint32_t>(std::bit_width(micros)) - 1 - kStepBits;
  return shift * kSteps + (micros >> shift);
}

Micros upper_bound(std::uint32_t bucket) {
  if (bucket < kSteps) return Micros{bucket};
  const std::uint32_t shift = bucket / kSteps - 1;
  const std::uint64_t next = std::uint64_t{kSteps + bucket % kSteps + 1} << shift;
  return Micros{static_cast<std::int64_t>(next - 1)};
}

Micros quantile(const std::uint64_t (&buckets)[segment::kHistogramBuckets], double q) {
  const std::uint64_t total = std::accumulate(std::begin(buckets), std::end(buckets), std::uint64_t{0});
  const auto rank = std::max(1.0, std::ceil(q * static_cast<double>(total)));
  std::uint64_t seen = 0;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < segment::kHistogramBuckets; ++i) {
    if (buckets[i] == 0) continue;
    seen += buckets[i];
    last = i;
    if (static_cast<double>(seen) >= rank) break;
  }
  return upper_bound(last);
}

Totals sum(const segment::Layout& layout, std::uint32_t version_row) {
  Totals totals;
  for_each_row(layout, version_row, [&](const segment::Row& row) { add_to(totals, row); });
  return totals;
}

HistogramTotals sum(const segment::Layout& layout, std::uint32_t version_row,
                    segment::Histogram segment::Row::* which) {
  HistogramTotals totals;
  for_each_row(layout, version_row, [&](const segment::Row& row) {
    if (get(row.requests) == 0) return;
    const segment::Histogram& histogram = row.*which;
    for (std::uint32_t i = 0; i < segment::kHistogramBuckets; ++i) totals.buckets[i] += get(histogram.buckets[i]);
    totals.sum += get(histogram.sum);
  });
  return totals;
}

}  // namespace gray::stats
