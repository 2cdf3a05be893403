#include "control/judge/observer.hpp"

#include <utility>

namespace gray::control {
namespace {

/// Their users are not a random part of all, so that a difference need not be one of the versions.
std::uint64_t targeted(const segment::Totals& totals) {
  using segment::Decision;
  return totals.decisions[static_cast<std::size_t>(Decision::allowlist)] +
         totals.decisions[static_cast<std::size_t>(Decision::rule)];
}

}  // namespace

Step Observer::look(const segment::Layout& layout, std::uint32_t row) {
  const auto totals = std::exchange(totals_, segment::sum(layout, row));
  // Counters only rise, except when the row is cleared for a different version.
  const bool known = std::exchange(row_, row) == row && totals_.requests >= totals.requests;
  const bool served = totals_.requests != totals.requests;
  const auto samples = served || !known ? std::exchange(samples_, segment::sum_samples(layout, row)) : samples_;
  if (!known) return {};
  Step step{.requests = totals_.requests - totals.requests,
            .errors = totals_.errors - totals.errors,
            .targeted = targeted(totals_) - targeted(totals),
            .failing_users = totals_.failing_users - totals.failing_users,
            .reset_users = totals_.reset_users - totals.reset_users,
            .timed_out_users = totals_.timed_out_users - totals.timed_out_users,
            .overflowed = totals_.users_uncounted != totals.users_uncounted,
            .users = segment::distinct_users(layout.versions[row])};
  if (!served) return step;
  step.samples.resize(samples_.size());
  for (std::size_t i = 0; i < samples_.size(); ++i) step.samples[i] = samples_[i] - samples[i];
  return step;
}

}  // namespace gray::control
