#pragma once
// May this failed attempt be tried again, and where (contract 2.4)? One safe retry, before the first response byte only.
#include <cstdint>

#include "config/segment.hpp"
#include "router/http/head.hpp"

namespace gray::policy {

inline constexpr std::size_t kReplayBytes = 16 * 1024;  // a request body up to this size is kept for a retry

struct Attempt {
  http::Method method = http::Method::get;
  bool response_started = false;  // a byte of the response came
  bool request_sent = false;      // a byte of the request may have reached the worker
  bool body_replayable = true;    // no body, or all of it that was read so far is still held
  std::uint32_t retries = 0;      // made so far for this request
  bool reused = false;            // the socket had served before (it may have been stale)
  segment::Reason failure = segment::Reason::none;
};

enum class Retry : std::uint8_t { no, same_version };

/// A request that surely was not sent may always be repeated; one that was sent only if its method is idempotent. A stale
/// reuse (reused, closed before any response byte) of an idempotent request does not use up the one retry.
Retry judge(const Attempt& attempt);

}  // namespace gray::policy
