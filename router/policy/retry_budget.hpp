#pragma once
// How many repeated attempts a version may get at once, so that its failures do not double its load. Pure.
//
// Model
//  - RetryBudget: repeated attempts in flight are at most a fifth of the requests in flight, and at least kLeast (the
//    defaults of Envoy's retry budget).
//  - LostSockets: a process that ends loses at most all its sockets at once, and each request on them is repeated
//    whatever the budget says. So a worker has as many free losses as it may have sockets. They come back over kRefill:
//    a worker that breaks connections all the time, and lives on, has used them up soon.
// One of each for a version and a worker of each router thread.
#include <algorithm>
#include <cstdint>

#include "config/base/time.hpp"
#include "config/shared/segment.hpp"

namespace gray::policy {

/// Whether a budget has a say in the repetition of a request that failed like this on its version. A connection that
/// was refused, or did not come about, was no work for the worker: with a budget, requests of a worker whose backlog is
/// full would be lost although it could serve them. A version that was withdrawn is to lose its users.
constexpr bool needs_budget(segment::Reason failure) { return failure == segment::Reason::upstream_closed; }

class RetryBudget {
 public:
  static constexpr std::uint32_t kLeast = 3;
  static constexpr std::uint32_t kPart = 5;  // of the requests in flight one in so many

  /// One more, of `in_flight` requests. True: end() follows when it has ended.
  bool begin(std::uint32_t in_flight) {
    if (active_ >= std::max(kLeast, in_flight / kPart)) return false;
    ++active_;
    return true;
  }
  void end() { --active_; }
  std::uint32_t active() const { return active_; }

 private:
  std::uint32_t active_ = 0;
};

class LostSockets {
 public:
  static constexpr Duration kRefill{10'000};

  /// A connection was lost, of a worker that may have `sockets`: whether that is a free loss.
  bool covers(std::uint32_t sockets, TimePoint now) {
    const auto passed = std::min<double>(1, std::chrono::duration<double>(now - latest_) / kRefill);
    used_ = std::max(0.0, used_ - passed * sockets);
    latest_ = now;
    if (used_ + 1 > sockets) return false;
    used_ += 1;
    return true;
  }

 private:
  double used_ = 0;
  TimePoint latest_{};
};

}  // namespace gray::policy
