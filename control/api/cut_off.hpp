#pragma once
// The end of a server, as its connections see it: the time at which connections in progress are cut, and a descriptor
// that wakes waiting threads when that time is set. Shared by all threads of the server.
#include <poll.h>

#include <atomic>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::control {

class CutOff {
 public:
  CutOff();  // throws std::system_error without a descriptor
  /// Called once; wakes waiting threads.
  void set(TimePoint when);
  TimePoint get() const { return TimePoint(when_.load()); }
  /// Waits until one of the descriptors has one of its events (POLLHUP and POLLERR always count; a negative descriptor
  /// has none). False at `until` or at the cut-off.
  bool wait(TimePoint until, pollfd first, pollfd second = {-1, 0, 0}) const;

 private:
  std::atomic<TimePoint::duration> when_{TimePoint::duration::max()};
  UniqueFd known_;
};

}  // namespace gray::control
