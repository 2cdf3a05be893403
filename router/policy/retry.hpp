#pragma once
// May this failed attempt be tried again, and where (contract 2.4)? Once, if that is safe, and before the first
// response byte only.
#include <cstddef>
#include <cstdint>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"
#include "router/http/message.hpp"

namespace gray::policy {

inline constexpr std::size_t kReplayBytes = 16 * 1024;  // a request body up to this size is kept for a retry

struct Attempt {
  http::Method method = http::Method::get;
  bool response_started = false;  // something of the response has been passed on
  bool request_sent = false;      // a byte of the request may have reached the worker
  std::uint32_t undelivered = 0;  // attempts so far, this one included, that were sent, but reached no program
  bool body_replayable = true;    // no body, or all of it that was read so far is still held
  std::uint32_t retries = 0;      // made so far for this request; a Retry::fresh_socket is not one
  bool reused = false;            // the socket had served before (it may have been stale)
  segment::Reason failure = segment::Reason::none;
  segment::Decision decision = segment::Decision::none;  // why the failed version was chosen
  bool on_stable = false;                                // the failed version is the stable one
  bool withdrawn = false;                                // its users were taken away
};

enum class Retry : std::uint8_t {
  no,
  same_version,  // on another worker of the version if there is one; counts as the one retry
  on_stable,     // a user who did not ask for this version: on the stable one; counts as the one retry
  again,         // it has reached no program: like a connect that is not over yet; does not count
  fresh_socket,  // the reused socket was stale: again on a new connection, never on a reused one; does not count
};

/// For the first byte of an answer, if the users of the version were taken away.
inline constexpr Duration kWithdrawnWait{1'000};

/// As often as a request may be sent to connections that reach no program, before that counts as a failure.
inline constexpr std::uint32_t kMaxUndelivered = 5;

/// A request that certainly was not sent may always be repeated; one that may have been sent only if its method is
/// idempotent (RFC 9110 9.2.2). A stale reuse (reused, closed before any response byte) of a repeatable request does
/// not use up the one retry. A response timeout is not repeated: the client has already waited for the whole time
/// allowed. But a version that was withdrawn has less time (kWithdrawnWait), and stable may still answer.
Retry judge(const Attempt& attempt);

}  // namespace gray::policy
