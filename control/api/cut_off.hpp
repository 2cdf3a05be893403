#pragma once
// The end of a server, as its connections see it: the time at which those still in progress are cut, and a descriptor
// by which who waits learns that time. Shared by all threads of the server.
#include <poll.h>

#include <atomic>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::control {

class CutOff {
 public:
  CutOff();  // throws std::system_error without a descriptor
  /// Once; wakes who waits.
  void set(TimePoint when);
  TimePoint get() const { return TimePoint(when_.load()); }
  /// Readable as soon as the time is set, and then for ever.
  int fd() const { return known_.get(); }
  /// Waits until one of the descriptors shows one of its events (POLLHUP and POLLERR always count; a negative one shows
  /// none). False at `until` or at the cut-off.
  bool wait(TimePoint until, pollfd first, pollfd second = {-1, 0, 0}) const;

 private:
  std::atomic<TimePoint::duration> when_{TimePoint::duration::max()};
  UniqueFd known_;
};

}  // namespace gray::control
