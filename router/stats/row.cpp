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

}  // namespace gray::stats
