#pragma once
// GET /v1/why?request_id=ID: the page asks for a request of the access log. The search runs in the thread of the
// connection, never in the main thread. It is bounded in bytes and time, and few run at once, so that the other threads
// of the page stay free. `grayctl why` has larger bounds.
#include <cstdint>
#include <functional>
#include <string>

#include "config/base/time.hpp"
#include "control/api/seats.hpp"
#include "control/daemon.hpp"

namespace gray::control {

struct LogAnswer {
  Reply reply;
  int status = 0;  // of HTTP; 0: as for every reply with this code
};

/// Shared by all connections; thread-safe.
class LogSearches {
 public:
  static constexpr std::uint64_t kMostBytes = 256 << 20;
  static constexpr Duration kLongest{3'000};
  static constexpr int kAtOnce = 2;

  /// `file`: the access log; empty: there is none. `gone`: whether nobody waits for the answer any more.
  LogAnswer find(const std::string& file, const std::string& id, const std::function<bool()>& gone);

 private:
  Seats seats_{kAtOnce};
};

}  // namespace gray::control
