#include "router/policy/retry.hpp"

namespace gray::policy {
namespace {

/// Failures that another attempt may avoid. All other reasons are caused by the client or by the router.
bool may_pass_elsewhere(const Attempt& attempt) {
  using segment::Reason;
  const Reason failure = attempt.failure;
  if (failure == Reason::response_timeout) return attempt.withdrawn && segment::is_assigned(attempt.decision);
  return failure == Reason::connect_failed || failure == Reason::connect_timeout || failure == Reason::upstream_closed;
}

bool is_safe(const Attempt& attempt) {
  return attempt.body_replayable && (!attempt.request_sent || http::is_idempotent(attempt.method));
}

}  // namespace

Retry judge(const Attempt& attempt) {
  if (attempt.response_started || !may_pass_elsewhere(attempt) || !is_safe(attempt)) return Retry::no;
  if (attempt.reused && attempt.failure == segment::Reason::upstream_closed) return Retry::fresh_socket;
  const bool undelivered = !attempt.request_sent && attempt.failure == segment::Reason::upstream_closed;
  if (undelivered && attempt.undelivered > 0 && attempt.undelivered <= kMaxUndelivered) return Retry::again;
  if (attempt.retries > 0) return Retry::no;
  return segment::is_assigned(attempt.decision) && !attempt.on_stable ? Retry::on_stable : Retry::same_version;
}

}  // namespace gray::policy
