#include "router/stats/row.hpp"

#include <algorithm>

#include "config/shared/totals.hpp"

namespace gray::stats {
namespace {

using segment::Reason;

/// Whether a status of 500 and above came from the version, or from the router because of the version.
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

/// Different keys for the same user at another version, or with another kind of failure.
std::uint64_t key_of(std::uint64_t user, std::uint32_t version_row, std::uint64_t kind) {
  std::uint64_t key = user + (version_row * 4 + kind + 1) * 0x9e3779b97f4a7c15ull;
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ull;
  key = (key ^ (key >> 27)) * 0x94d049bb133111ebull;
  return key ^ (key >> 31);
}

bool is_reset(Reason reason) { return reason == Reason::upstream_closed || reason == Reason::connect_failed; }
bool is_timeout(Reason reason) { return reason == Reason::response_timeout || reason == Reason::connect_timeout; }

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
  add(histogram.buckets[segment::bucket_of(value)]);
  add(histogram.sum, static_cast<std::uint64_t>(std::max(value, Micros{0}).count()));
}

void record_failing_user(segment::Layout& layout, segment::Row& row, std::uint32_t version_row, std::uint64_t user,
                         Reason reason, TimePoint now) {
  using Answer = segment::RecentUsers::Answer;
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  const auto count = [&](std::uint64_t kind, std::atomic<std::uint64_t>& users) {
    const auto answer = layout.failing.add(key_of(user, version_row, kind), second);
    if (answer == Answer::first) add(users);
    if (answer == Answer::full) add(row.users_uncounted);
  };
  count(0, row.failing_users);
  if (is_reset(reason)) count(1, row.reset_users);
  if (is_timeout(reason)) count(2, row.timed_out_users);
}

}  // namespace gray::stats
